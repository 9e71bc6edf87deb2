"""One channel down while leads come in: the others do not notice, and it gets all it missed when it is back."""

import asyncio
from datetime import UTC, datetime, timedelta

from notifiers.attempts import MemoryAttemptLog
from notifiers.courier import Courier
from notifiers.office import Office
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.delivery import NoticeSettled, Outcome
from streams.stages.notify import Notify
from tests.lab.apis import plain_ok
from tests.lab.channels import SECRET, mail_lab
from tests.lab.decisions import Roster, decision, notice
from tests.lab.http_server import serving
from tests.lab.state import Partition

LEADS, BATCHES, DOWN_BATCHES = 300, 60, 40
BREAKER_SECONDS = 0.3


async def test_an_outage_delays_no_other_channel_and_costs_few_calls() -> None:
    async with mail_lab() as mail, serving(plain_ok) as hook:
        settings = ChannelSettings.model_validate(
            {
                **mail.settings.model_dump(exclude={"smtp"}),
                "smtp": mail.settings.smtp,
                "webhooks": {"default": {"url": hook.url, "secret": SECRET}},
                "fallback": (),
                "send_timeout_seconds": 30,
                "retry_first_seconds": 0.05,
                "retry_cap_seconds": 0.5,
                "breaker_seconds": BREAKER_SECONDS,
            }
        )
        stage = Notify(
            settings,
            Roster(),
            Office(Courier(settings, MemoryAttemptLog(), now)),
            load(None),
            now,
        )
        partition = Partition(stage)
        hook.mood.script = [503] * 100_000
        began_at = now()
        for number in range(BATCHES):
            if number == DOWN_BATCHES:
                hook.mood.script.clear()
                back_at = now()
            share = range(number * LEADS // BATCHES, (number + 1) * LEADS // BATCHES)
            await turn(partition, [lead_event(partition, lead) for lead in share])
        while len(partition.emitted) < 2 * LEADS and now() < back_at + timedelta(seconds=90):
            await turn(partition, [])
        await stage.close()
    settled: list[NoticeSettled] = [emit.value for emit in partition.emitted]
    by_channel = {name: [s for s in settled if s.channel == name] for name in ("email", "webhook")}
    assert [len(rows) for rows in by_channel.values()] == [LEADS, LEADS]
    assert {s.outcome for s in settled} == {Outcome.DELIVERED}
    asked = (back_at - began_at).total_seconds() / BREAKER_SECONDS  # once each time the breaker lets one through
    assert hook.calls <= LEADS + asked + 2 * LEADS // BATCHES, "and those of its first batches, until it opens"
    assert len(hook.accepted) == LEADS
    assert sum(s.attempts for s in by_channel["email"]) == LEADS


def now() -> datetime:
    return datetime.now(UTC)


def lead_event(partition: Partition, number: int) -> object:
    person = f"{number:032x}"
    one = decision(
        notice(channels=("email", "webhook")),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
        at=now(),
    )
    return partition.event(one, person)


async def turn(partition: Partition, events: list[object]) -> None:
    at = now()
    await partition.batch([*events, *partition.due(at)], at, asyncio.get_running_loop().time() + 60)  # type: ignore[list-item]
