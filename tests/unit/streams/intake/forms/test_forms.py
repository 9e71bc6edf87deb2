"""Form tools with their own signatures and the shapes of their public documentation, against the intake's endpoints.

Shapes: Typeform www.typeform.com/developers/webhooks/example-payload; Meta developers.facebook.com/docs/graph-api/
webhooks/getting-started/webhooks-for-leadgen and /docs/marketing-api/guides/lead-ads/retrieving; LinkedIn
learn.microsoft.com/linkedin/marketing/lead-sync/leadsync and …/lead-sync-schema; HubSpot developers.hubspot.com/docs/
api/webhooks/validating-requests and the contact of its legacy API. The values are made up.
"""

import base64
import hashlib
import hmac
import re
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog
from aiohttp import web
from fastapi import FastAPI

from schemas.lead import SubmittedLead
from streams.intake.forms.call import NotReachable
from streams.intake.forms.kinds import FORMS
from streams.intake.forms.router import fetched, forms_router
from streams.intake.forms.source import Form, FormsInvalid, FormSource, read_forms
from streams.intake.refusing import refuse_plainly
from streams.intake.settings import IntakeSettings
from streams.intake.submission import Submission
from tests.lab.http_server import Got, Server, serving

SECRET, TOKEN, VERIFY = "form-secret", "graph-token", "verify-me"
PUBLIC = "https://in.example"

TYPEFORM: dict[str, Any] = {
    "event_id": "01HTYPEFORMEVENT",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a1365927098a606107fac15",
        "landed_at": "2026-03-10T14:12:00Z",
        "submitted_at": "2026-03-10T14:14:00Z",
        "hidden": {"utm_source": "newsletter", "plan": "team"},
        "definition": {
            "id": "lT4Z3j",
            "title": "Talk to us",
            "fields": [
                {"id": "DlXFaesGBpoF", "title": "Your work email?", "type": "email", "ref": "r1"},
                {"id": "SMEUb7VJz92Q", "title": "Company size", "type": "multiple_choice", "ref": "r2"},
                {"id": "JwWggjAKtOkA", "title": "First name", "type": "short_text", "ref": "r3"},
                {"id": "KoJxDM3c6x8h", "title": "Which tools do you use?", "type": "multiple_choice", "ref": "r4"},
                {"id": "PNe8ZKBK8C2Q", "title": "Call me back", "type": "phone_number", "ref": "r5"},
            ],
        },
        "answers": [
            {"type": "email", "email": "ada@acme.example", "field": {"id": "DlXFaesGBpoF", "ref": "r1"}},
            {"type": "choice", "choice": {"label": "201-500"}, "field": {"id": "SMEUb7VJz92Q", "ref": "r2"}},
            {"type": "text", "text": "Ada", "field": {"id": "JwWggjAKtOkA", "ref": "r3"}},
            {"type": "choices", "choices": {"labels": ["Slack", "Jira"]}, "field": {"id": "KoJxDM3c6x8h", "ref": "r4"}},
            {"type": "phone_number", "phone_number": "+15128675309", "field": {"id": "PNe8ZKBK8C2Q", "ref": "r5"}},
        ],
    },
}  # fmt: skip
META: dict[str, Any] = {
    "object": "page",
    "entry": [
        {
            "id": "153125381133",
            "time": 1773152041,
            "changes": [
                {
                    "field": "leadgen",
                    "value": {
                        "leadgen_id": "123123123123",
                        "page_id": "153125381133",
                        "form_id": "12312312312",
                        "adgroup_id": "12312312312",
                        "ad_id": "12312312312",
                        "created_time": 1773152040,
                    },
                }
            ],
        }
    ],
}
META_LEAD: dict[str, Any] = {
    "created_time": "2026-03-10T14:14:00+0000",
    "id": "123123123123",
    "ad_id": "12312312312",
    "form_id": "12312312312",
    "campaign_name": "spring",
    "field_data": [
        {"name": "email", "values": ["ada@acme.example"]},
        {"name": "full_name", "values": ["Ada Lovelace"]},
        {"name": "company_name", "values": ["Acme"]},
        {"name": "what_do_you_need?", "values": ["a demo"]},
    ],
}
LINKEDIN: dict[str, Any] = {
    "type": "LEAD_ACTION",
    "leadGenFormResponse": "urn:li:leadGenFormResponse:a1b2-c3",
    "leadGenForm": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
    "leadType": "SPONSORED",
    "leadAction": "CREATED",
    "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:520866471"},
    "occurredAt": 1773152040000,
}
LINKEDIN_LEAD: dict[str, Any] = {
    "id": "a1b2-c3",
    "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:520866471"},
    "leadType": "SPONSORED",
    "submitter": "urn:li:person:MpGcnvaU_p",
    "versionedLeadGenFormUrn": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
    "submittedAt": 1773152040000,
    "testLead": False,
    "formResponse": {
        "answers": [
            {"questionId": 1, "answerDetails": {"textQuestionAnswer": {"answer": "ada@acme.example"}}},
            {"questionId": 2, "answerDetails": {"textQuestionAnswer": {"answer": "201-500"}}},
            {"questionId": 3, "answerDetails": {"multipleChoiceAnswer": {"options": [2]}}},
        ],
        "consentResponses": [],
    },
}
LINKEDIN_FORM: dict[str, Any] = {
    "id": 3162,
    "content": {
        "questions": [
            {"questionId": 1, "predefinedField": "EMAIL", "name": "email"},
            {"questionId": 2, "predefinedField": "COMPANY_SIZE", "name": "size"},
            {"questionId": 3, "question": {"localized": {"en_US": "When do you start?"}}, "name": "start"},
        ]
    },
}
HUBSPOT: dict[str, Any] = {
    "vid": 201,
    "canonical-vid": 201,
    "portal-id": 62515,
    "is-contact": True,
    "properties": {
        "email": {"value": "ada@acme.example", "versions": []},
        "firstname": {"value": "Ada", "versions": []},
        "company": {"value": "Acme", "versions": []},
        "numberofemployees": {"value": "300", "versions": []},
        "hs_analytics_source": {"value": "OFFLINE", "versions": []},
    },
    "form-submissions": [
        {"conversion-id": "old", "timestamp": 1773000000000, "form-id": "f", "title": "Newsletter"},
        {"conversion-id": "8a5c", "timestamp": 1773152040000, "form-id": "f", "title": "Request a demo"},
    ],
}
GENERIC: dict[str, Any] = {
    "id": "x-1",
    "Email address": "ada@acme.example",
    "How did you find us?": "a friend",
    "transcript": [{"from": "bot", "text": "Hello"}, {"from": "visitor", "text": "I want a demo"}],
    "bot_qualified": True,
}


def signed_typeform(body: bytes, _path: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return {"Typeform-Signature": "sha256=" + base64.b64encode(digest).decode()}


def signed_meta(body: bytes, _path: str) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def signed_linkedin(body: bytes, _path: str) -> dict[str, str]:
    return {"X-LI-Signature": hmac.new(SECRET.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()}


def signed_hubspot(body: bytes, path: str, at: float | None = None) -> dict[str, str]:
    stamp = str(int((at or time.time()) * 1000))
    text = b"POST" + f"{PUBLIC}{path}".encode() + body + stamp.encode()
    digest = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    return {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": stamp}


def signed_generic(body: bytes, _path: str) -> dict[str, str]:
    return {"X-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


@dataclass(frozen=True)
class Case:
    """One kind: what it sends, how it signs, and what must come of it."""

    payload: dict[str, Any]
    signed: Callable[[bytes, str], dict[str, str]]
    expected: dict[str, Any]


CASES = {
    "typeform": Case(
        TYPEFORM,
        signed_typeform,
        {
            "email": "ada@acme.example", "employees": "201-500", "first_name": "Ada", "phone": "+15128675309",
            "submitted_at": "2026-03-10T14:14:00Z", "action": "demo", "form": "typeform", "id": "typeform/"
            "a3a12ec67a1365927098a606107fac15",
            "answers": {"plan": "team"},
            "questions": {"utm_source": "newsletter", "Which tools do you use?": "Slack, Jira"},
        },
    ),
    "meta": Case(
        META,
        signed_meta,
        {
            "email": "ada@acme.example", "name": "Ada Lovelace", "company": "Acme", "campaign": "spring",
            "submitted_at": "2026-03-10T14:14:00+0000", "source": "ads", "action": "demo", "form": "meta",
            "id": "meta/123123123123", "questions": {"what_do_you_need?": "a demo"},
        },
    ),
    "linkedin": Case(
        LINKEDIN,
        signed_linkedin,
        {
            "email": "ada@acme.example", "employees": "201-500", "source": "ads", "action": "demo", "form": "linkedin",
            "submitted_at": "2026-03-10T14:14:00+00:00", "id": "linkedin/a1b2-c3", "questions": {"start": "2"},
        },
    ),
    "hubspot": Case(
        HUBSPOT,
        signed_hubspot,
        {
            "email": "ada@acme.example", "first_name": "Ada", "company": "Acme", "employees": "300", "action": "demo",
            "submitted_at": "2026-03-10T14:14:00+00:00", "form": "Request a demo", "foreign_id": "hubspot:201",
            "id": "hubspot/201/8a5c",
        },
    ),
    "generic": Case(
        GENERIC,
        signed_generic,
        {
            "email": "ada@acme.example", "action": "demo", "form": "generic", "id": "generic/x-1",
            "questions": {"How did you find us?": "a friend"}, "transcript": GENERIC["transcript"],
            "bot_qualified": True,
        },
    ),
}  # fmt: skip


@dataclass
class Intake:
    """The endpoints without Kafka. api: the form tools' own API, where what was said is fetched."""

    client: httpx.AsyncClient
    published: list[Submission]
    api: Server

    async def send(self, kind: str, payload: Any = None, **headers: str) -> httpx.Response:
        case = CASES[kind]
        body = orjson.dumps(case.payload if payload is None else payload)
        path = f"/forms/{kind}"
        return await self.client.post(path, content=body, headers={**case.signed(body, path), **headers})


async def api(got: Got) -> web.StreamResponse:
    """Graph API and LinkedIn's REST API, as far as leads go."""
    if got.headers.get("authorization") != f"Bearer {TOKEN}":
        return web.Response(status=401)
    known = {
        "/123123123123": META_LEAD,
        "/leadFormResponses/a1b2-c3": LINKEDIN_LEAD,
        "/leadForms/3162": LINKEDIN_FORM,
    }
    return web.json_response(known[got.path]) if got.path in known else web.Response(status=404)


@asynccontextmanager
async def intake_of() -> AsyncIterator[Intake]:
    published: list[Submission] = []

    async def publish(submissions: tuple[Submission, ...], _received_at: datetime) -> None:
        published.extend(submissions)

    async with serving(api) as server:
        forms = {
            kind: Form(
                name=kind,
                source=FormSource(
                    kind=kind,
                    secret_env="S",
                    base_url=server.url,
                    allow_hosts=("127.0.0.1",),
                    lead={"action": "demo"},
                    fields={"plan": "answers.plan"},
                ),
                secret=SECRET,
                token=TOKEN,
                verify=VERIFY,
            )
            for kind in FORMS
        }
        app = FastAPI()
        app.include_router(forms_router(IntakeSettings(public_url=PUBLIC), forms, publish))
        refuse_plainly(app, structlog.get_logger())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            yield Intake(client, published, server)


@pytest.mark.parametrize("kind", CASES)
async def test_a_signed_submission_becomes_a_lead(kind: str) -> None:
    async with intake_of() as intake:
        answer = await intake.send(kind)
        assert answer.status_code == 200, answer.text
        (one,) = intake.published
        fields = orjson.loads(one.value)
        assert {name: fields.get(name) for name in CASES[kind].expected} == CASES[kind].expected
        assert one.topic == "leads.raw" and answer.json() == {"ids": [one.id]}


@pytest.mark.parametrize("kind", CASES)
async def test_a_repeated_call_has_the_same_ids(kind: str) -> None:
    async with intake_of() as intake:
        first, again = await intake.send(kind), await intake.send(kind)
        assert first.json() == again.json() and len({one.id for one in intake.published}) == 1


@pytest.mark.parametrize("kind", CASES)
async def test_what_is_not_signed_or_was_changed_is_refused(kind: str) -> None:
    async with intake_of() as intake:
        body = orjson.dumps(CASES[kind].payload)
        signature = CASES[kind].signed(body, f"/forms/{kind}")
        for content, headers in ((body, {}), (body + b" ", signature), (body, dict.fromkeys(signature, "sha256=é"))):
            encoded = {name: value.encode() for name, value in headers.items()}
            answer = await intake.client.post(f"/forms/{kind}", content=content, headers=encoded)
            assert (answer.status_code, answer.json()["title"]) == (401, "Not signed")
        assert intake.published == []


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("payload", [{}, {"form_response": 7}, {"entry": [{"changes": 3}]}, "text", {"properties": 1}])
async def test_a_signed_call_of_another_shape_is_refused_and_says_what_is_missing(kind: str, payload: Any) -> None:
    async with intake_of() as intake:
        answer = await intake.send(kind, payload)
        assert answer.status_code == 422 and intake.published == []
        assert answer.json()["detail"]


@pytest.mark.parametrize("kind", ["meta", "linkedin"])
async def test_a_lead_that_cannot_be_fetched_is_asked_for_again(kind: str) -> None:
    async with intake_of() as intake:
        for trouble in (503, 401, 302):
            intake.api.mood.script = [trouble]
            answer = await intake.send(kind)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30"), trouble
        assert intake.published == []
        assert (await intake.send(kind)).status_code == 200


async def test_linkedin_may_delete_without_effect() -> None:
    async with intake_of() as intake:
        answer = await intake.send("linkedin", LINKEDIN | {"leadAction": "DELETED"})
        assert (answer.status_code, answer.json()) == (200, {"ids": []})
        assert intake.api.calls == 0


async def test_an_old_call_of_hubspot_is_refused() -> None:
    async with intake_of() as intake:
        body = orjson.dumps(HUBSPOT)
        old = signed_hubspot(body, "/forms/hubspot", time.time() - 301)
        assert (await intake.client.post("/forms/hubspot", content=body, headers=old)).status_code == 401


async def test_challenges_are_answered_as_documented() -> None:
    async with intake_of() as intake:
        asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
        meta = await intake.client.get("/forms/meta", params=asked)
        assert (meta.status_code, meta.text) == (200, "1158201444")
        wrong = await intake.client.get("/forms/meta", params=asked | {"hub.verify_token": "other"})
        assert wrong.status_code == 403
        code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
        linkedin = await intake.client.get("/forms/linkedin", params={"challengeCode": code})
        expected = hmac.new(SECRET.encode(), code.encode(), hashlib.sha256).hexdigest()
        assert linkedin.json() == {"challengeCode": code, "challengeResponse": expected}
        assert (await intake.client.get("/forms/typeform")).status_code == 403


async def test_no_answer_decides_what_only_we_may_say() -> None:
    async with intake_of() as intake:
        answers = [{"type": "text", "text": "true", "field": {"id": "i1", "ref": "is_test"}}]
        response = TYPEFORM["form_response"] | {"hidden": {"division": "other"}, "answers": answers}
        await intake.send("typeform", TYPEFORM | {"form_response": response | {"hidden": {"email": "a@b.example"}}})
        fields = orjson.loads(intake.published[0].value)
        assert "is_test" not in fields and "division" not in fields


async def test_an_unknown_form_is_not_found() -> None:
    async with intake_of() as intake:
        assert (await intake.client.post("/forms/nobody", content=b"{}")).status_code == 404


def test_the_forms_file_names_its_secrets_and_errors_name_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "forms.yaml"
    path.write_text("contact: {kind: typeform, secret_env: TF_SECRET, fields: {r2: employees}}\n")
    forms = read_forms(path, {"TF_SECRET": "s"}, FORMS)
    assert forms["contact"].secret.get_secret_value() == "s" and "'s'" not in repr(forms)
    with pytest.raises(FormsInvalid, match=r"contact\.secret_env.*TF_SECRET"):
        read_forms(path, {}, FORMS)
    path.write_text("contact: {kind: webflow, secret_env: TF_SECRET}\n")
    with pytest.raises(FormsInvalid, match="webflow"):
        read_forms(path, {"TF_SECRET": "s"}, FORMS)
    assert read_forms(None, {}, FORMS) == {}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://169.254.169.254/latest", "http://[::1]:1/", "ftp://a/"]
)
async def test_what_was_said_is_fetched_from_public_addresses_alone(url: str) -> None:
    with pytest.raises(NotReachable, match="AddressRefused"):
        await fetched(frozenset(), url, {}, {})


def test_the_examples_of_the_docs_are_what_they_say(tmp_path: Path) -> None:
    page = (Path(__file__).parents[5] / "docs" / "capture.md").read_text()
    blocks = [textwrap.dedent(found) for found in re.findall(r"(?:^    .*\n)+", page, re.MULTILINE)]
    path = tmp_path / "forms.yaml"
    path.write_text(blocks[0])
    environ = dict.fromkeys(("TYPEFORM_SECRET", "META_APP_SECRET", "META_PAGE_TOKEN", "META_VERIFY_TOKEN"), "s")
    assert sorted(read_forms(path, environ, FORMS)) == ["ads", "contact"]
    steps = [orjson.loads(line) for line in blocks[1].splitlines()]
    assert len(steps) == 3 and all(SubmittedLead.model_validate(step).session == "b7c1" for step in steps)
    assert all(f"`{kind}`" in page for kind in FORMS)
