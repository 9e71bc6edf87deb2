"""What a person may do here. Each goes in as an event through the intake's publisher, with who, when and why."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from schemas.activity import ActivityKind, ActivityReported
from schemas.rep import Absence, Rep
from streams.board.views.people import entity, people
from streams.board.web.board import Board
from streams.board.web.login import form_of, viewer_of
from streams.board.web.rendering import zone_of
from streams.board.web.session import Viewer, is_csrf
from streams.cli.dead_letters import DeadLetters
from streams.cli.failure import CommandFailed
from streams.errors import Retryable
from streams.intake import submission

REASONS = (
    "wrong team or territory",
    "needs another skill or language",
    "customer asked for this person",
    "rep asked to hand it over",
    "workload",
    "waits for information",
    "other",
)
_MOST_NOTE = 200
log = structlog.get_logger()


class Refused(Exception):
    """An action is not allowed, or its form is wrong. Becomes a page that says so."""

    def __init__(self, status: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.fix = fix


def actions_router(board: Board) -> APIRouter:
    """Return the routes of all actions: forms that are posted, each answered with the page it came from."""
    router = APIRouter()

    @router.post("/leads/{lead_id}/move", include_in_schema=False)
    async def move(request: Request, lead_id: str) -> Response:
        viewer, form = await _allowed(board, request)
        to, reason = form.get("to", ""), _reason(form)
        known = await board.look(lambda connection: people(connection, board.clock()))
        pools = {f"pool:{pool.name}" for pool in known.pools}
        if to not in known.by_id and to not in pools and not to.startswith("queue:"):
            raise Refused(422, "Say to whom it goes.", "Choose a person, a pool or a queue from the list.")
        now = board.clock()
        activity = ActivityReported(
            kind=ActivityKind.REASSIGNED, at=now, lead_id=lead_id, to=to, reason=reason, by=viewer.id
        )
        await _publish(board, submission.reported(activity, "board"), now)
        log.info("action.taken", action="move", lead_id=lead_id, to=to, reason=form.get("reason"), by=viewer.id)
        return _back(f"/leads/{lead_id}", "sent")

    @router.post("/reps/{rep_id}/away", include_in_schema=False)
    async def away(request: Request, rep_id: str) -> Response:
        viewer, form = await _allowed(board, request)
        row = await board.look(lambda connection: entity(connection, "rep", rep_id))
        if row is None:
            raise Refused(404, "There is nobody of this id on the roster.", "Look at the list of reps.")
        zone, now = zone_of(form.get("zone")), board.clock()
        absence = _absence(form, zone)
        entry = Rep.model_validate(row)
        kept = tuple(one for one in entry.absences if one.until > now)
        changed = entry.model_copy(update={"absences": (*kept, absence)})
        await _publish(board, submission.roster_entry(changed), now)
        log.info("action.taken", action="away", rep=rep_id, reason=absence.reason, by=viewer.id)
        return _back(f"/reps/{rep_id}", "sent")

    @router.post("/letters/{partition}/{offset}/replay", include_in_schema=False)
    async def replay(request: Request, partition: int, offset: int) -> Response:
        viewer, _ = await _allowed(board, request)
        try:
            await asyncio.to_thread(_replay, board, f"{partition}/{offset}", viewer.id)
        except CommandFailed as failure:
            raise Refused(409, failure.what, failure.fix) from failure
        log.info("action.taken", action="replay", letter=f"{partition}/{offset}", by=viewer.id)
        return _back("/letters", "sent")

    return router


async def _allowed(board: Board, request: Request) -> tuple[Viewer, Mapping[str, str]]:
    """Return who acts, and their form. Raises Refused: not allowed, or the form is not from a page of ours."""
    viewer, form = viewer_of(board, request), await form_of(request)
    origin = request.headers.get("origin")
    is_ours = origin is None or urlsplit(origin).netloc == urlsplit(board.settings.public_url).netloc
    is_ours = is_ours or (origin is not None and urlsplit(origin).netloc == request.headers.get("host"))
    if not is_ours or not is_csrf(viewer.csrf, form.get("csrf", "")):
        raise Refused(403, "This form did not come from a page of yours.", "Load the page again, then send it.")
    if not viewer.may_act:
        raise Refused(403, "You may look, not act.", "LEADSTREAM_BOARD_ACTORS names who may act.")
    return viewer, form


async def _publish(board: Board, one: submission.Submission, now: datetime) -> None:
    try:
        await board.publisher.publish((one,), now)
    except Retryable as error:
        raise Refused(503, "Kafka did not acknowledge it.", "Nothing is lost; send it again in a moment.") from error


def _reason(form: Mapping[str, str]) -> str:
    reason, note = form.get("reason", ""), form.get("note", "")[:_MOST_NOTE]
    if reason not in REASONS:
        raise Refused(422, "An action needs a reason.", "Choose one from the list.")
    return f"{reason} ({note})" if note else reason


def _absence(form: Mapping[str, str], zone: ZoneInfo) -> Absence:
    try:
        start = datetime.fromisoformat(form.get("start", "")).replace(tzinfo=zone)
        until = datetime.fromisoformat(form.get("until", "")).replace(tzinfo=zone)
    except ValueError as error:
        raise Refused(422, "From and until are a day and a time each.", "Fill in both fields.") from error
    if until <= start:
        raise Refused(422, "The absence would end before it begins.", "Choose a later end.")
    return Absence(start=start, until=until, reason=form.get("reason", "leave")[:60])


def _replay(board: Board, letter_id: str, by: str) -> None:
    with DeadLetters(board.cluster, by) as dead:
        letter = next((one for one in dead.letters if one.id == letter_id), None)
        if letter is None:
            raise CommandFailed(f"There is no dead letter {letter_id}.", "They are kept for 14 days.")
        dead.replay(letter)


def _back(path: str, said: str) -> RedirectResponse:
    return RedirectResponse(f"{path}?said={said}", 303)
