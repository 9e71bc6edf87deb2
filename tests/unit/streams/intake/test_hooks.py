import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
import structlog
from fastapi import FastAPI
from standardwebhooks import Webhook

from notifiers.settings import ChannelSettings
from notifiers.unsubscribe import unsubscribe_link
from schemas.rep import Rep
from streams.intake.decisions import Decisions
from streams.intake.desk import Desk
from streams.intake.hooks import Hooks, hooks_router
from streams.intake.refusing import refuse_plainly
from streams.intake.roster import Roster
from streams.intake.settings import IntakeSettings
from streams.intake.submission import Submission

SLACK = "8f742231b10e8888abcd99yyyzzz85a5"
HUBSPOT = "hs-client-secret"
CRM = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LEAD = "main.4f.1"
SETTINGS = ChannelSettings.model_validate(
    {
        "slack": {"token": "x", "signing_secret": SLACK},
        "crm": {"hubspot": {"token": "x", "client_secret": HUBSPOT}, "incoming_secret": CRM},
        "unsubscribe_url": "https://in.example/unsubscribe",
        "unsubscribe_secret": "s",
    }
)


@dataclass
class Intake:
    """The endpoints without Kafka. published: what was asked to be written."""

    client: httpx.AsyncClient
    roster: Roster
    published: list[Submission]

    def values(self) -> list[Any]:
        return [orjson.loads(one.value) for one in self.published]


def app_of(settings: ChannelSettings, roster: Roster, published: list[Submission]) -> FastAPI:
    async def publish(submissions: tuple[Submission, ...], _received_at: datetime) -> None:
        published.extend(submissions)

    app = FastAPI()
    intake = IntakeSettings(public_url="https://in.example")
    app.include_router(hooks_router(Hooks(intake, Desk(settings, roster, Decisions()), publish)))
    refuse_plainly(app, structlog.get_logger())
    return app


@pytest.fixture
async def intake() -> AsyncIterator[Intake]:
    roster, published = Roster(), list[Submission]()
    roster.put("M1", Rep(id="M1", name="Mona One", slack="U0001", crm_id="7001"))
    roster.is_complete = True
    transport = httpx.ASGITransport(app_of(SETTINGS, roster, published))
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        yield Intake(client, roster, published)


def pressed(secret: str = SLACK) -> tuple[bytes, dict[str, str]]:
    at = str(int(time.time()))
    action = {"action_id": "leadstream.accepted", "value": LEAD, "action_ts": f"{at}.000001"}
    body = urlencode({"payload": orjson.dumps({"user": {"id": "U0001"}, "actions": [action]})}).encode()
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return body, {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}


def from_hubspot(*events: dict[str, Any], secret: str = HUBSPOT, age_seconds: int = 0) -> tuple[bytes, dict[str, str]]:
    body, at = orjson.dumps(events), str(int((time.time() - age_seconds) * 1_000))
    signed = b"POSThttps://in.example/crm/hubspot" + body + at.encode()
    digest = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    return body, {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": at}


def owner_changed(**changes: Any) -> dict[str, Any]:
    return {
        "eventId": 38,
        "objectId": 1246965,
        "occurredAt": int(time.time() * 1_000),
        "subscriptionType": "contact.propertyChange",
        "propertyName": "hubspot_owner_id",
        "propertyValue": "7001",
        "changeSource": "CRM_UI",
        "sourceId": "userId:9",
        "appId": 1160452,
        **changes,
    }


def from_crm(*changes: dict[str, Any], secret: str = CRM) -> tuple[bytes, dict[str, str]]:
    body, at = orjson.dumps(changes), datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", at, body.decode())
    return body, {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


async def test_a_press_in_slack_is_published_as_the_reps_activity(intake: Intake) -> None:
    body, headers = pressed()
    first = await intake.client.post("/slack/interactions", content=body, headers=headers)
    await intake.client.post("/slack/interactions", content=body, headers=headers)
    assert (first.status_code, first.content) == (200, b"")
    one, again = intake.published
    assert (one.topic, one.key, one.id) == ("leads.activity", LEAD, again.id)
    assert {name: intake.values()[0][name] for name in ("kind", "rep", "lead_id")} == {
        "kind": "accepted",
        "rep": "M1",
        "lead_id": LEAD,
    }


async def test_what_is_not_signed_is_refused_and_publishes_nothing(intake: Intake) -> None:
    requests = {
        "/slack/interactions": pressed("another"),
        "/crm/hubspot": from_hubspot(owner_changed(), secret="another"),
        "/crm/changes": from_crm({"type": "lead.deleted"}, secret="whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    }
    for path, (body, headers) in requests.items():
        answer = await intake.client.post(path, content=body, headers=headers)
        bare = await intake.client.post(path, content=body)
        assert (answer.status_code, bare.status_code) == (401, 401), path
        assert answer.headers["content-type"] == "application/problem+json"
    assert intake.published == []


async def test_an_old_hubspot_request_is_refused(intake: Intake) -> None:
    body, headers = from_hubspot(owner_changed(), age_seconds=301)
    assert (await intake.client.post("/crm/hubspot", content=body, headers=headers)).status_code == 401


async def test_a_new_owner_in_hubspot_moves_the_lead_to_that_rep(intake: Intake) -> None:
    body, headers = from_hubspot(owner_changed())
    answer = await intake.client.post("/crm/hubspot", content=body, headers=headers)
    assert answer.json() == {"taken": 1, "ignored": 0}
    (value,) = intake.values()
    assert (value["kind"], value["to"], value["foreign_id"]) == ("reassigned", "M1", "hubspot:1246965")


async def test_what_leadstream_wrote_itself_does_not_come_back(intake: Intake) -> None:
    body, headers = from_hubspot(owner_changed(sourceId="1160452", changeSource="INTEGRATION"))
    answer = await intake.client.post("/crm/hubspot", content=body, headers=headers)
    assert answer.json() == {"taken": 0, "ignored": 0}


async def test_an_owner_who_is_not_on_the_roster_is_counted_as_ignored(intake: Intake) -> None:
    body, headers = from_hubspot(owner_changed(propertyValue="9999"), owner_changed(propertyValue=None))
    answer = await intake.client.post("/crm/hubspot", content=body, headers=headers)
    assert answer.json() == {"taken": 0, "ignored": 2}


@pytest.mark.parametrize(
    ("name", "value", "kind", "stage"),
    [
        ("lifecyclestage", "opportunity", "stage_changed", "mid"),
        ("lifecyclestage", "customer", "won", None),
        ("hs_lead_status", "UNQUALIFIED", "disqualified", None),
    ],
)
async def test_a_stage_in_hubspot_is_load_or_an_end(
    intake: Intake, name: str, value: str, kind: str, stage: str | None
) -> None:
    body, headers = from_hubspot(owner_changed(propertyName=name, propertyValue=value))
    await intake.client.post("/crm/hubspot", content=body, headers=headers)
    (said,) = intake.values()
    assert (said["kind"], said.get("stage")) == (kind, stage)


async def test_any_crm_reports_changes_by_signed_webhook(intake: Intake) -> None:
    at = "2026-03-10T14:14:00Z"
    body, headers = from_crm(
        {"type": "owner.changed", "at": at, "foreign_id": "salesforce:00Q1", "owner": "7001", "by": "mm"},
        {"type": "stage.changed", "at": at, "lead_id": LEAD, "stage": "Working - Contacted"},
        {"type": "lead.disqualified", "at": at, "lead_id": LEAD, "reason": "student"},
        {"type": "stage.changed", "at": at, "lead_id": LEAD, "stage": "never heard of"},
    )
    answer = await intake.client.post("/crm/changes", content=body, headers=headers)
    assert answer.json() == {"taken": 3, "ignored": 1}
    assert [value["kind"] for value in intake.values()] == ["reassigned", "stage_changed", "disqualified"]


async def test_a_user_who_was_switched_off_is_inactive_on_the_roster(intake: Intake) -> None:
    body, headers = from_crm({"type": "user.deactivated", "at": "2026-03-10T14:14:00Z", "user": "7001"})
    await intake.client.post("/crm/changes", content=body, headers=headers)
    (record,) = intake.published
    rep = Rep.model_validate_json(record.value)
    assert (record.topic, record.key, rep.active, rep.name) == ("reps", "M1", False, "Mona One")
    assert rep.deactivated_at == datetime(2026, 3, 10, 14, 14, tzinfo=UTC)


async def test_a_change_that_names_no_lead_is_told_so(intake: Intake) -> None:
    body, headers = from_crm({"type": "owner.changed", "at": "2026-03-10T14:14:00Z", "owner": "7001"})
    answer = await intake.client.post("/crm/changes", content=body, headers=headers)
    assert (answer.status_code, "lead_id" in answer.json()["detail"]) == (422, True)


async def test_until_the_roster_is_read_callers_are_asked_to_come_again(intake: Intake) -> None:
    intake.roster.is_complete = False
    body, headers = pressed()
    answer = await intake.client.post("/slack/interactions", content=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"], intake.published) == (503, "2", [])


async def test_opening_the_unsubscribe_link_does_nothing_and_posting_it_ends_the_mails(intake: Intake) -> None:
    link = unsubscribe_link(SETTINGS, "4f4f")
    assert link is not None
    path = link.removeprefix("https://in.example")
    opened = await intake.client.get(path)
    assert (opened.status_code, "<button>" in opened.text, intake.published) == (200, True, [])
    posted = await intake.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert posted.status_code == 200
    (record,) = intake.published
    assert (record.topic, record.key, record.type) == ("suppressions", "4f4f", "suppression.put")


@pytest.mark.parametrize("query", ["", "?p=4f4f", "?p=4f4f&t=0", "?p=4f4f&t=%C3%A9", "?p=%3Cscript%3E&t=x"])
async def test_a_link_that_is_not_ours_is_refused(intake: Intake, query: str) -> None:
    for answer in (await intake.client.get(f"/unsubscribe{query}"), await intake.client.post(f"/unsubscribe{query}")):
        assert answer.status_code == 403
    assert intake.published == []


async def test_what_is_not_set_up_says_which_setting_is_missing() -> None:
    transport = httpx.ASGITransport(app_of(ChannelSettings(), Roster(), []))
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        answer = await client.post("/crm/hubspot", content=b"[]")
    assert (answer.status_code, "crm.hubspot.client_secret" in answer.json()["detail"]) == (404, True)
