"""What the outside reports, from the signed request through Kafka to the stage that acts on it."""

import asyncio
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from notifiers.settings import ChannelSettings
from notifiers.unsubscribe import unsubscribe_link
from schemas.decision import Audience
from schemas.wire import encode
from streams.intake.settings import IntakeSettings
from streams.kafka.config import ClusterSettings
from tests.integration.test_intake import running
from tests.integration.test_notify_kills import Slot, is_late
from tests.lab.apis import HubSpot
from tests.lab.decisions import PERSON, REPS, decision, lead, notice
from tests.lab.http_server import serving
from tests.lab.mail_server import mail_serving
from tests.records import Outgoing, Records


async def test_who_clicks_unsubscribe_gets_no_more_answers_and_the_crms_id_finds_the_lead(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    async with mail_serving() as mails, serving(HubSpot()) as hubspot:
        channels = {
            "smtp": {"host": "127.0.0.1", "port": mails.port, "sender": "leads@us.example"},
            "crm": {"hubspot": {"token": "t", "base_url": hubspot.url}},
            "unsubscribe_url": "http://127.0.0.1/unsubscribe",
            "unsubscribe_secret": "s",
            "unacknowledged_seconds": 900,  # else who was told of nothing for 30 s, on a busy machine, is told of that
        }
        settings = ChannelSettings.model_validate(channels)
        # TIMERS too: of a call that has had no answer within half a second, the outcome comes with a wake-up.
        notify, timers = (Slot(stage, topics, tmp_path / "state", channels) for stage in ("notify", "timers"))
        notify.start()
        timers.start()
        try:
            await asyncio.to_thread(_told, records, "d1", 3)
            answers = [mail for mail in mails.mails if mail["To"] == "coo@lone.example"]
            assert unsubscribe_link(settings, PERSON) in str(answers[0]["List-Unsubscribe"])
            await asyncio.to_thread(_unsubscribed, topics, settings)
            outcomes = await asyncio.to_thread(_told, records, "d2", 6)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{notify.log()}\n{timers.log()}") from error
        finally:
            notify.end(SIGTERM)
            timers.end(SIGTERM)
    assert outcomes["d1", "lead"] == ("delivered", "")
    assert outcomes["d2", "lead"] == ("suppressed", "unsubscribed")
    assert outcomes["d2", "M1"] == ("delivered", "")
    (pointer, *_) = records.read_all("xref")
    assert (pointer.key, pointer.json["lead_id"]) == ("hubspot:501", f"main.{PERSON}.1")


def _told(records: Records, decision_id: str, outcomes: int) -> dict[tuple[str, str], tuple[str, str]]:
    """Write a decision with an answer to the lead and return all outcomes once there are so many.

    The two leads are of one person and of different actions: else the second answer would be a repeat.
    """
    reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="demo")
    to_crm = notice(id="crm", audience=Audience.CRM, recipients=(), channels=("crm",))
    action = "demo" if decision_id == "d1" else "pricing"
    one = decision(notice(), reply, to_crm, decision_id=decision_id, lead=lead(action=action))
    records.write("leads.assigned", [Outgoing(PERSON, encode(one), {"ce_type": "lead.decided"})])
    found = records.read_until(["leads.notified"], lambda rows: sum(not is_late(row) for row in rows) >= outcomes)
    rows = [record.json for record in found if not is_late(record)]
    return {(row["decision_id"], row["recipient"]): (row["outcome"], row["reason"]) for row in rows}


def _unsubscribed(topics: ClusterSettings, settings: ChannelSettings) -> None:
    link = unsubscribe_link(settings, PERSON)
    assert link is not None
    with contextmanager(running)(topics, IntakeSettings(port=0), settings) as intake:
        path = link.removeprefix("http://127.0.0.1")
        answer = intake.client.post(path, data={"List-Unsubscribe": "One-Click"}, headers={"X-API-Key": ""})
        assert answer.status_code == 200, answer.text
