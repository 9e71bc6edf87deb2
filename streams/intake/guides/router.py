"""`POST /leads/next`: what to ask next of a visitor (CAP-5), told to the site with an API key, never to a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from schemas.lead import RawLead
from schemas.org import Org
from streams.intake import submission
from streams.intake.acceptance import Acceptance
from streams.intake.body import json_body
from streams.intake.guides.guide import FINAL, Guide, next_page
from streams.intake.guides.profile import Profile, opened, sealed
from streams.intake.problem import FieldProblem, Refused, answer_schema, invalid
from streams.intake.settings import IntakeSettings

PROFILE = "profile"
_MOST_DONE = 50


class NextPage(BaseModel):
    """What to ask next. step: the page's name, "final" where nothing is missing: submit with POST /leads.

    ask: field names to ask for, none that is known. profile: what was said so far, sealed: give it to the same visitor
    alone (a cookie that scripts can't read) and send it with the next call and with the lead.
    """

    step: str
    ask: tuple[str, ...]
    profile: str


@dataclass(frozen=True, slots=True)
class Guides:
    """The forms that go by steps. secret: profiles are sealed under a key of it. org: says what a lead's words mean."""

    by_form: Mapping[str, Guide]
    secret: bytes
    org: Org

    def filled(self, body: Any) -> Any:
        """Return leads, as submitted, with what their profiles say and they don't; the profiles themselves go."""
        if isinstance(body, list):
            return [self.filled(row) for row in body]
        if not isinstance(body, dict) or PROFILE not in body:
            return body
        fields = {name: value for name, value in body.items() if name != PROFILE}
        return opened(body[PROFILE], self.secret).under(fields)

    def asked(self, guide: Guide, body: Mapping[str, Any], done: Sequence[str], now: datetime) -> NextPage:
        """Return what to ask next."""
        fields = {name: value for name, value in body.items() if name != PROFILE}
        before = opened(body.get(PROFILE), self.secret)
        page = next_page(guide, fields, done, before, self._facts(before, fields, now), now.date())
        after = before.with_fields(fields, sorted(guide.fields), now.date())
        return NextPage(step=page.name, ask=page.ask, profile=sealed(after, self.secret))

    def _facts(self, before: Profile, fields: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        from enrichment.canonical import canonical
        from routing.facts import lead_facts

        raw = RawLead(before.under(fields))
        lead, _ = canonical(raw, event_id="", received_at=now, secret=self.secret, org=self.org, is_bulk=False)
        return lead_facts(lead)


def guides_router(settings: IntakeSettings, guides: Guides, acceptance: Acceptance) -> APIRouter:
    """Return the endpoint."""
    router = APIRouter()

    @router.post("/leads/next", status_code=200, responses=answer_schema(), openapi_extra=_BODY)
    async def post_next(request: Request, name: Annotated[str, Depends(acceptance.client)]) -> NextPage:
        """Say what to ask next: of a form in the guides file, for a visitor who may have been here before.

        The body is what this filling has said, with `form`, the `profile` of the last answer or of an earlier visit,
        and `done`, the steps shown. With `session` and `step` the step is recorded as POST /leads records one.
        """
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        if not isinstance(body, dict):
            raise invalid([FieldProblem(field="body", problem="a filling is a JSON object", fix="Send one object.")])
        guide = guides.by_form.get(str(body.get("form")))
        if guide is None:
            raise Refused(
                404, "no-such-guide", "There is no form of this name.", "Add it to LEADSTREAM_INTAKE_GUIDES_FILE."
            )
        done = _done(body.pop("done", ()), body.get("step"))
        page = guides.asked(guide, body, done, now)
        if body.get("step") not in (None, "", FINAL) and body.get("session"):
            step = {field: value for field, value in body.items() if field != PROFILE}
            await acceptance.accept(name, submission.leads(step, name, now, settings.max_batch), now)
        return page

    return router


def _done(shown: Any, step: Any) -> tuple[str, ...]:
    if not isinstance(shown, list | tuple) or len(shown) > _MOST_DONE or not all(isinstance(one, str) for one in shown):
        problem = f"not an array of at most {_MOST_DONE} names"
        raise invalid([FieldProblem(field="done", problem=problem, fix="Send the names of the steps shown.")])
    return (*shown, step) if isinstance(step, str) else tuple(shown)


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SubmittedLead"}}},
    },
    "security": [{"bearer": []}, {"apiKey": []}],
}
