"""What a kill around the calls does: the batch is sent again under the same keys, and marked where it must be."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifiers.attempts import FileAttemptLog
from notifiers.courier import Courier
from notifiers.templates import load
from schemas.decision import Decision
from schemas.delivery import NoticeSettled, Outcome
from streams.stages.notify import Notify
from tests.lab.channels import LABS, Lab
from tests.lab.decisions import NOW, PERSON, Roster, decision, notice
from tests.lab.state import Partition

KILLS = 20
CHANNELS = ["webhook", "push", "email", "slack", "sms", "hubspot", "salesforce"]


def clock() -> datetime:
    return NOW


def process(lab: Lab, log: Path) -> tuple[Partition, Courier]:
    settings = lab.settings.model_copy(
        update={"patience_seconds": 60}
    )  # a busy machine must not look like a slow channel
    courier = Courier(settings, FileAttemptLog(log), clock)
    return Partition(Notify(settings, Roster(devices=lab.devices), courier, load(None), clock)), courier


def asked(name: str, number: int) -> Decision:
    audience = "crm" if name in ("hubspot", "salesforce") else "owner"
    channel = "crm" if audience == "crm" else name
    person = f"{number:032x}"
    return decision(
        notice(channels=(channel,), audience=audience),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
    )


@pytest.mark.parametrize("name", CHANNELS)
async def test_twenty_kills_between_the_call_and_the_commit_double_nothing(name: str, tmp_path: Path) -> None:
    settled: list[NoticeSettled] = []
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(LABS[name]())
        for number in range(KILLS):
            one = asked(name, number)
            # Killed after `prepare`: what it sent is out, nothing is recorded.
            dying, courier = process(lab, tmp_path / "attempts.log")
            event = dying.event(one, PERSON)
            await dying.stage.prepare([event], dying, asyncio.get_running_loop().time() + 60)
            await courier.close()
            # Started again: the same record comes back.
            reborn, courier = process(lab, tmp_path / "attempts.log")
            await reborn.batch([event], NOW, asyncio.get_running_loop().time() + 60)
            await courier.close()
            settled += [emit.value for emit in reborn.emitted if emit.topic == "leads.notified"]
        assert lab.known() == KILLS
    assert [s.outcome for s in settled] == [Outcome.DELIVERED] * KILLS
    assert not any(s.possible_repeat for s in settled)


@pytest.mark.parametrize("name", ["slack"])
async def test_a_repeat_that_may_not_be_looked_up_happens_once_per_kill_and_is_marked(
    name: str, tmp_path: Path
) -> None:
    async with LABS[name]() as lab:
        assert lab.settings.slack is not None
        slack = lab.settings.slack.model_copy(update={"looks_up_repeats": False})
        careless = replace(lab, settings=lab.settings.model_copy(update={"slack": slack}))
        dying, courier = process(careless, tmp_path / "attempts.log")
        event = dying.event(asked(name, 1), PERSON)
        await dying.stage.prepare([event], dying, asyncio.get_running_loop().time() + 60)
        await courier.close()
        reborn, courier = process(careless, tmp_path / "attempts.log")
        await reborn.batch([event], NOW, asyncio.get_running_loop().time() + 60)
        await courier.close()
        assert len(lab.arrived()) == 2
        assert "You may have had this notice before." in lab.arrived()[1]
    assert [emit.value.possible_repeat for emit in reborn.emitted] == [True]


async def test_a_kill_after_the_commit_repeats_nothing(tmp_path: Path) -> None:
    async with LABS["webhook"]() as lab:
        first, courier = process(lab, tmp_path / "attempts.log")
        event = first.event(asked("webhook", 1), PERSON)
        await first.batch([event], NOW, asyncio.get_running_loop().time() + 60)
        await courier.close()
        second, courier = process(lab, tmp_path / "attempts.log")
        second.rows = first.rows
        await second.batch([event], NOW, asyncio.get_running_loop().time() + 60)
        await courier.close()
        assert len(lab.arrived()) == 1
        assert second.emitted == []


async def test_a_request_that_is_out_stays_in_the_log_until_its_answer_is_on_record(tmp_path: Path) -> None:
    log = tmp_path / "attempts.log"
    async with LABS["webhook"]() as lab:
        settings = lab.settings.model_copy(update={"patience_seconds": 0.05})
        courier = Courier(settings, FileAttemptLog(log), clock)
        times = iter(NOW + timedelta(minutes=turn) for turn in range(1_000))
        partition = Partition(Notify(settings, Roster(), courier, load(None), lambda: next(times)))
        lab.mood.delay_seconds = 0.3
        events = [partition.event(asked("webhook", 1), PERSON)]
        async with asyncio.timeout(60):
            while partition.emitted == []:
                await partition.batch(events, NOW, asyncio.get_running_loop().time() + 60)
                assert log.read_text().startswith("+")  # a kill now must know of the request
                await asyncio.sleep(0.01)  # a lane that is slow is not waited for
                events = partition.due(NOW + timedelta(hours=1))
        await partition.batch([], NOW, 0)
        await courier.close()
    assert log.read_text() == ""
