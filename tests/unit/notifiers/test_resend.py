"""An order to send again: the same keys, once an order, and never past what has happened since."""

import asyncio
from datetime import datetime
from typing import Any

from notifiers.attempts import MemoryAttemptLog
from notifiers.courier import Courier
from notifiers.delivery import delivery_key
from notifiers.templates import load
from schemas.decision import Audience, Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.resend import Resend, ResendItem
from streams.stages.notify import Notify
from tests.lab.channels import LABS, Lab
from tests.lab.decisions import NOW, Roster, decision, notice
from tests.lab.state import Partition

FAR = 60.0


def partition_of(lab: Lab, **changes: Any) -> Partition:
    settings = lab.settings.model_copy(update={"patience_seconds": 60, "fallback": (), **changes})
    return Partition(Notify(settings, Roster(), Courier(settings, MemoryAttemptLog(), now), load(None), now))


def now() -> datetime:
    return NOW


def order(one: Decision, name: str = "resend-1", **changes: Any) -> Resend:
    items = tuple(
        ResendItem(notice=told.id, recipient=to, channel=channel)
        for told in one.notices
        for to in told.recipients or ("crm",)
        for channel in told.channels
    )
    values = {
        "id": name,
        "decision": one,
        "items": items,
        "was_told": False,
        "by": "ops",
        "reason": "mended",
        "at": NOW,
    }
    return Resend(**{**values, **changes})


async def batch(partition: Partition, *values: Any) -> list[NoticeSettled]:
    before = len(partition.emitted)
    events = [partition.event(value, "4f" * 16) for value in values]
    await partition.batch(events, NOW, asyncio.get_running_loop().time() + FAR)
    return [e.value for e in partition.emitted[before:] if isinstance(e.value, NoticeSettled)]


async def test_it_goes_out_under_its_old_key_and_the_record_says_who_had_it_sent() -> None:
    async with LABS["webhook"]() as lab:
        lab.mood.script = [400]
        partition = partition_of(lab)
        one = decision(notice(channels=("webhook",)))
        failed = [row for row in await batch(partition, one) if row.channel == "webhook"]
        again = await batch(partition, order(one))
        await partition.stage.close()
        assert len(lab.arrived()) == 1
    assert [row.outcome for row in failed] == [Outcome.FAILED]
    (delivered,) = again
    assert (delivered.outcome, delivered.key, delivered.resent_by) == (Outcome.DELIVERED, failed[0].key, "ops")
    assert delivered.key == delivery_key("d1", "owner", "M1", "webhook")
    assert delivered.is_first


async def test_an_order_given_twice_sends_once() -> None:
    async with LABS["webhook"]() as lab:
        partition = partition_of(lab)
        one = decision(notice(channels=("webhook",)))
        first = await batch(partition, order(one))
        second = await batch(partition, order(one), order(one))
        await partition.stage.close()
        assert (len(first), second, lab.calls()) == (1, [], 1)


async def test_an_owner_told_by_another_channel_is_not_told_for_the_first_time() -> None:
    async with LABS["webhook"]() as lab:
        partition = partition_of(lab)
        (told,) = await batch(partition, order(decision(notice(channels=("webhook",))), was_told=True))
        await partition.stage.close()
    assert not told.is_first


async def test_what_a_later_decision_overtook_is_not_sent() -> None:
    async with LABS["crm webhook"]() as lab:
        partition = partition_of(lab)
        crm = notice(id="crm", audience=Audience.CRM, recipients=(), channels=("crm",))
        old, new = decision(crm, decision_id="old"), decision(crm, decision_id="new", epoch=2, at=NOW.replace(hour=15))
        await batch(partition, new)
        (told,) = await batch(partition, order(old))
        await partition.stage.close()
        assert lab.calls() == 1
    assert (told.outcome, told.reason) == (Outcome.EXPIRED, "a later decision has gone to the CRM")


async def test_a_slack_message_that_had_arrived_is_found_and_not_sent_twice() -> None:
    async with LABS["slack"]() as lab:
        lab.mood.script = ["drop"]  # it takes the message, its answer is lost
        partition = partition_of(lab)
        one = decision(notice(channels=("slack",)))
        await batch(partition, one)
        (told,) = await batch(partition, order(one))
        await partition.stage.close()
        assert len(lab.arrived()) == 1
    assert (told.outcome, told.possible_repeat) == (Outcome.DELIVERED, False)


async def test_it_is_tried_again_like_any_other_until_its_lifetime_ends() -> None:
    async with LABS["webhook"]() as lab:
        lab.mood.script = [503] * 5
        partition = partition_of(lab)
        assert await batch(partition, order(decision(notice(channels=("webhook",))))) == []
        assert [key for key in partition.wakes if key.startswith("delivery/resend-1")] == ["delivery/resend-1"]
        assert "ledger/resend-1" in partition.rows
        await partition.stage.close()
