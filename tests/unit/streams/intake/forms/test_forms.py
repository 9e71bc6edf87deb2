"""Form tools with their own signatures and shapes, against the intake's endpoints."""

import hashlib
import hmac
import re
import textwrap
import time
from collections.abc import AsyncIterator
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
from tests.unit.streams.intake.forms.calls import (
    CASES,
    HUBSPOT,
    LINKEDIN,
    LINKEDIN_FORM,
    LINKEDIN_LEAD,
    META_LEAD,
    PUBLIC,
    SECRET,
    TYPEFORM,
    signed_hubspot,
)

TOKEN, VERIFY = "graph-token", "verify-me"


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
