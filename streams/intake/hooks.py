"""What the outside world calls by itself: Slack's buttons, the CRM's changes, the link out of automatic mail.

None has an API key; each is signed, and what is not is refused before anything else is read.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, SecretStr

from notifiers.crm import hubspot_webhook, signed_webhook
from notifiers.crm.change import ChangeRefused, CrmChange, NotSigned, activity_of, deactivated
from notifiers.interaction import InteractionRefused, activities_of
from notifiers.unsubscribe import is_unsubscribe_token
from streams.intake import submission
from streams.intake.body import raw_body
from streams.intake.called_url import called_url
from streams.intake.desk import Desk
from streams.intake.problem import Refused, answer_schema
from streams.intake.settings import IntakeSettings
from streams.intake.submission import Submission

Publish = Callable[[tuple[Submission, ...], datetime], Awaitable[None]]

log = structlog.get_logger()


class Taken(BaseModel):
    """How many changes were taken, acknowledged by Kafka, and how many mean nothing here."""

    taken: int
    ignored: int


@dataclass(frozen=True, slots=True)
class Hooks:
    """The endpoints' common ground. publish: returns once Kafka has acknowledged."""

    settings: IntakeSettings
    desk: Desk
    publish: Publish

    async def body(self, request: Request) -> bytes:
        return await raw_body(request, self.settings.max_body_bytes)

    async def take(self, submissions: tuple[Submission, ...], now: datetime) -> None:
        if submissions:
            await self.publish(submissions, now)

    def require_roster(self) -> None:
        if not self.desk.roster.is_complete:
            raise Refused(503, "roster-not-read", "The roster is being read.", "Try again.", retry_after_seconds=2)


def hooks_router(hooks: Hooks) -> APIRouter:
    """Return the endpoints. One whose secret is not set answers 404."""
    router = APIRouter()

    @router.post("/slack/interactions", status_code=200, responses=answer_schema())
    async def slack(request: Request) -> Response:
        """Take a press of a button in Slack (signed by Slack): accepted, declined, contacted, claimed."""
        slack_settings = hooks.desk.channels.slack
        secret = _secret(slack_settings.signing_secret if slack_settings else None, "slack.signing_secret")
        body, now = await hooks.body(request), datetime.now(UTC)
        try:
            activities = activities_of(body, request.headers, secret, hooks.desk.roster.of_slack, now)
        except InteractionRefused as error:
            raise _unsigned(str(error)) from error
        hooks.require_roster()
        await hooks.take(tuple(submission.reported(activity, "slack") for activity in activities), now)
        return Response(status_code=200)  # an empty body: Slack leaves the message as it is

    @router.post("/crm/hubspot", status_code=200, responses=answer_schema())
    async def hubspot(request: Request) -> Taken:
        """Take HubSpot's webhooks (signature v3): owner, stage, deletion of contacts."""
        crm = hooks.desk.channels.crm
        secret = _secret(crm.hubspot.client_secret if crm.hubspot else None, "crm.hubspot.client_secret")
        body, now = await hooks.body(request), datetime.now(UTC)
        if not hubspot_webhook.is_signed(body, request.headers, called_url(hooks.settings, request), secret, now):
            raise _unsigned("the request is not signed by HubSpot, or is older than five minutes")
        return await _changed(hooks, hubspot_webhook.changes_of, body, "hubspot", now)

    @router.post("/crm/changes", status_code=200, responses=answer_schema())
    async def crm(request: Request) -> Taken:
        """Take changes from any CRM that signs by Standard Webhooks; docs/notifications.md has the shape."""
        secret = _secret(hooks.desk.channels.crm.incoming_secret, "crm.incoming_secret")
        body, now = await hooks.body(request), datetime.now(UTC)
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await _changed(hooks, lambda said: signed_webhook.changes_of(said, headers, secret), body, "crm", now)

    @router.get("/unsubscribe", response_class=HTMLResponse, responses=answer_schema())
    async def ask(p: str = "", t: str = "") -> HTMLResponse:
        """Show a button. Nothing happens yet: mail scanners open links too."""
        _require_link(hooks, p, t)
        return _page(_ASK.format(person=escape(p, quote=True), token=escape(t, quote=True)))

    @router.post("/unsubscribe", response_class=HTMLResponse, responses=answer_schema())
    async def unsubscribe(p: str = "", t: str = "") -> HTMLResponse:
        """End automatic mail to the person of the link (RFC 8058 one-click, or the button). Repeats do no harm."""
        _require_link(hooks, p, t)
        now = datetime.now(UTC)
        await hooks.take((submission.suppressed(p, now),), now)
        return _page("<p>Done. You will get no more automatic mail from us.</p>")

    return router


async def _changed(
    hooks: Hooks, changes_of: Callable[[bytes], tuple[CrmChange, ...]], body: bytes, source: str, now: datetime
) -> Taken:
    try:
        changes = changes_of(body)
    except NotSigned as error:
        raise _unsigned(str(error)) from error
    except ChangeRefused as error:
        raise Refused(422, "invalid-body", str(error), "docs/notifications.md has the shape.") from error
    hooks.require_roster()
    records = tuple(record for change in changes if (record := _record(change, hooks.desk, source)) is not None)
    await hooks.take(records, now)
    log.info("crm.changes_taken", source=source, taken=len(records), ignored=len(changes) - len(records))
    return Taken(taken=len(records), ignored=len(changes) - len(records))


def _record(change: CrmChange, desk: Desk, source: str) -> Submission | None:
    rep = deactivated(change, desk.roster.of_crm)
    if rep is not None:
        return submission.roster_entry(rep)
    activity = activity_of(change, desk.roster.of_crm, desk.channels.crm.stages)
    return submission.reported(activity, source) if activity is not None else None


def _secret(secret: SecretStr | None, name: str) -> str:
    if secret is None:
        raise Refused(404, "not-set-up", f"{name} is not set.", f"Set {name} in LEADSTREAM_CHANNELS of the intake.")
    return secret.get_secret_value()


def _unsigned(detail: str) -> Refused:
    return Refused(401, "not-signed", detail, "Check the secret, the public URL and the clock.")


def _require_link(hooks: Hooks, person: str, token: str) -> None:
    secret = _secret(hooks.desk.channels.unsubscribe_secret, "unsubscribe_secret")
    if not person.isalnum() or not is_unsubscribe_token(secret.encode(), person, token):
        raise Refused(403, "no-such-link", "This link is not one of ours.", "Open the link of the mail as it is.")


_ASK = """<form method="post" action="?p={person}&amp;t={token}">
<p>No more automatic mail from us?</p><button>Unsubscribe</button></form>"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _page(inner: str) -> HTMLResponse:
    title = "<!doctype html><html lang=en><meta charset=utf-8><title>Unsubscribe</title>"
    return HTMLResponse(f"{title}<body>{inner}</body></html>", headers=_HEADERS)
