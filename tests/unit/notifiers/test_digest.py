"""Digests through the stage: what is told within a while goes out as one, each notice with an outcome of its own."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from notifiers.attempts import MemoryAttemptLog
from notifiers.courier import Courier
from notifiers.digest import MOST, Digest, collected, items_of
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.decision import Audience, Decision
from schemas.delivery import NoticeSettled
from schemas.digest import DigestItem
from streams.stages.notify import Notify
from tests.lab.decisions import NOW, Roster, contact, decision, notice
from tests.lab.mail_server import mail_serving
from tests.lab.state import Partition

WINDOW = timedelta(minutes=15)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def told(number: int, **changes: Any) -> Decision:
    """Return an assignment to M1 by mail and in the app, the mail in a digest."""
    one = notice(channels=("email", "in_app"), digest_seconds=WINDOW.total_seconds(), **changes)
    person = f"{number:032x}"
    return decision(
        one,
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
        tier="T3",
        contact=contact(name=f"Cora {number}"),
    )


async def run(partition: Partition, clock: Clock, events: list[Any]) -> None:
    await partition.batch(events, clock.now, asyncio.get_running_loop().time() + 60)


def handed_over(partition: Partition) -> list[Any]:
    """Take what was written to leads.redeliver, as the records that come back."""
    items = [emit for emit in partition.emitted if emit.topic == "leads.redeliver"]
    partition.emitted = [emit for emit in partition.emitted if emit.topic != "leads.redeliver"]
    return [partition.event(emit.value, emit.key, "leads.redeliver", "digest.item") for emit in items]


def outcomes(partition: Partition) -> dict[tuple[str, str], NoticeSettled]:
    rows = [emit.value for emit in partition.emitted if emit.topic == "leads.notified"]
    found = {(row.decision_id, row.channel): row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


def stage(settings: ChannelSettings, clock: Clock) -> Partition:
    return Partition(Notify(settings, Roster(), Courier(settings, MemoryAttemptLog(), clock), load(None), clock))


async def test_notices_of_a_while_are_one_mail_and_an_outcome_each(clock: Clock) -> None:
    async with mail_serving() as mails:
        smtp = {"host": "127.0.0.1", "port": mails.port, "sender": "leads@us.example"}
        partition = stage(ChannelSettings.model_validate({"smtp": smtp}), clock)
        for number in range(3):
            await run(partition, clock, [partition.event(told(number), "p")])
            await run(partition, clock, handed_over(partition))
            clock.now += timedelta(minutes=4)
        assert mails.mails == []
        first = outcomes(partition)
        assert {key: row.is_first for key, row in first.items()} == {(f"d{n}", "in_app"): True for n in range(3)}
        assert partition.due(clock.now) == []
        clock.now += timedelta(minutes=3)
        await run(partition, clock, partition.due(clock.now))
        await partition.stage.close()  # type: ignore[attr-defined]
    (mail,) = mails.mails
    assert mail["Subject"] == "3 leads: Cora 0, Cora 1, Cora 2"
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert all(f"Cora {number}" in text for number in range(3))
    rows = outcomes(partition)
    assert {key: row.outcome.value for key, row in rows.items() if key[1] == "email"} == {
        (f"d{n}", "email"): "delivered" for n in range(3)
    }
    assert {row.lead_id for row in rows.values()} == {told(n).lead_id for n in range(3)}
    assert len({row.key for row in rows.values()}) == len(rows)
    assert [key for key in partition.rows if key.startswith(("digest/", "ledger/"))] == []


async def test_a_digest_that_fails_is_tried_again_and_then_each_of_its_owners_counts_as_not_told(clock: Clock) -> None:
    settings = ChannelSettings.model_validate(
        {
            "smtp": {"host": "127.0.0.1", "port": 1, "sender": "leads@us.example"},
            "fallback": [],
            "lifetime_seconds": {"email": 120},
            "breaker_failures": 100,
        }
    )
    partition = stage(settings, clock)
    for number in range(2):
        one = told(number).notices[0].model_copy(update={"channels": ("email",)})
        events = [partition.event(told(number).model_copy(update={"notices": (one,)}), "p")]
        await run(partition, clock, events)
        await run(partition, clock, handed_over(partition))
    for _ in range(40):
        clock.now += timedelta(seconds=30)
        await run(partition, clock, partition.due(clock.now))
    await partition.stage.close()  # type: ignore[attr-defined]
    rows = outcomes(partition)
    assert {key: (row.outcome.value, row.all_failed) for key, row in rows.items()} == {
        **{(f"d{n}", "email"): ("failed", False) for n in range(2)},
        **{(f"d{n}", "all"): ("failed", True) for n in range(2)},
    }
    assert rows["d0", "email"].attempts > 1


async def test_a_repeated_decision_is_handed_over_once(clock: Clock) -> None:
    partition = stage(ChannelSettings(), clock)
    for _ in range(2):
        await run(partition, clock, [partition.event(told(1), "p")])
    await partition.stage.close()  # type: ignore[attr-defined]
    assert len(handed_over(partition)) == 1


def test_an_item_that_comes_twice_is_there_once() -> None:
    (item,) = items_of(told(1))
    once = collected(None, item, NOW)
    assert collected(once, item, NOW + WINDOW) is once


def test_the_first_item_sets_the_time_and_an_opening_moves_it() -> None:
    (first,), (second,) = items_of(told(1)), items_of(told(2))
    digest = collected(collected(None, first, NOW), second, NOW + timedelta(minutes=10))
    assert digest.due_at == NOW + WINDOW
    opening = NOW + timedelta(hours=9)
    (later,) = items_of(told(3, release_at={"email": opening}))
    assert collected(digest, later, NOW).due_at == opening


def test_a_full_digest_goes_out_at_once() -> None:
    digest: Digest | None = None
    for number in range(MOST):
        (item,) = items_of(told(number))
        digest = collected(digest, item, NOW)
    assert digest is not None
    assert digest.due_at == NOW


@pytest.mark.parametrize(
    "changes", [{"urgent": True}, {"audience": Audience.LEAD, "recipients": ()}], ids=["urgent", "to the lead"]
)
def test_what_is_urgent_or_for_the_lead_is_never_held_back(changes: dict[str, Any]) -> None:
    assert list(items_of(told(1, **changes))) == []


def test_an_item_carries_neither_trace_nor_raw_submission() -> None:
    one = told(1).model_copy(update={"trace": {"rules": [1]}, "contact": contact(raw={"x": 1})})
    (item,) = items_of(one)
    assert isinstance(item, DigestItem)
    assert item.decision.trace == {}
    assert item.decision.contact is not None
    assert item.decision.contact.raw == {}
