"""What a client with a key may send: leads, activity, people of the roster."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from streams.intake import submission
from streams.intake.acceptance import Acceptance, Accepted
from streams.intake.answer import Answered, answered, wait_seconds
from streams.intake.body import json_body
from streams.intake.desk import Desk
from streams.intake.problem import answer_schema
from streams.intake.settings import IntakeSettings


def submit_router(settings: IntakeSettings, desk: Desk, acceptance: Acceptance) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    accept = acceptance.accept

    @router.post(
        "/leads",
        status_code=202,
        responses={200: {"model": Answered, "description": "decided in time (wait)"}, **answer_schema()},
        openapi_extra=_body("SubmittedLead", many=True),
    )
    async def post_leads(
        request: Request, response: Response, name: Annotated[str, Depends(acceptance.client)], wait: str = ""
    ) -> Accepted | Answered:
        """Submit one lead, or an array of them: all are taken, or none.

        Give each its own `id` and repeat the request as often as needed: a repeat is recognised. `?wait=5s` with one
        lead answers 200 with the decision and the rep's booking link once it is made; 202 when it is not by then.
        """
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        body = body if desk.guides is None else desk.guides.filled(body)
        submissions = submission.leads(body, name, now, settings.max_batch)
        seconds = wait_seconds(wait, len(submissions))
        accepted = await accept(name, submissions, now)
        decided = await desk.decisions.on(accepted.ids[0], seconds) if seconds > 0 else None
        if decided is None:
            return accepted
        response.status_code = 200
        return answered(accepted.ids, decided, desk.roster)

    @router.post(
        "/activity", status_code=202, responses=answer_schema(), openapi_extra=_body("ActivityReported", many=True)
    )
    async def post_activity(request: Request, name: Annotated[str, Depends(acceptance.client)]) -> Accepted:
        """Report what people did: one activity, or an array of them."""
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        return await accept(name, submission.activities(body, name, now, settings.max_batch), now)

    @router.put("/reps/{rep_id}", status_code=202, responses=answer_schema(), openapi_extra=_body("Rep", many=False))
    async def put_rep(
        request: Request,
        rep_id: Annotated[str, Path(min_length=1, max_length=64)],
        name: Annotated[str, Depends(acceptance.client)],
    ) -> Accepted:
        """Put one person into the roster, or replace the entry."""
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        return await accept(name, (submission.rep(body, rep_id),), now)

    return router


def _body(model: str, *, many: bool) -> dict[str, Any]:
    one = {"$ref": f"#/components/schemas/{model}"}
    schema = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]} if many else one
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{"bearer": []}, {"apiKey": []}],
    }
