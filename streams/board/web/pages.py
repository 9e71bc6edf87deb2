"""The pages. Each is one view and one template; asked by htmx, it answers with its live part alone."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import orjson
from confluent_kafka import KafkaException
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from schemas.rep import Absence
from streams.board.views.flags import Flags, flags
from streams.board.views.funnel import funnel
from streams.board.views.leads import (
    SHOWN,
    at_risk,
    backlog,
    counts,
    found,
    in_app,
    missed,
    of_owner,
    one,
    waiting_until,
)
from streams.board.views.letters import set_aside_at
from streams.board.views.people import People, entities, entity, names, people, policies
from streams.board.views.story import Chapter, chapters
from streams.board.web.actions import REASONS
from streams.board.web.board import Board
from streams.board.web.live import Part
from streams.board.web.login import viewer_of
from streams.board.web.rendering import midnight, render, zone_of

FLAGS_SECONDS = 10.0  # they look through the leads of 30 days: not at each change
AGE_SECONDS = 5  # what changes with time alone is made again after so long

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a view may look at."""

    connection: sqlite3.Connection
    now: datetime
    zone: ZoneInfo
    query: Mapping[str, str]
    path: Mapping[str, str]
    raised: Flags


@dataclass(frozen=True, slots=True)
class Badge:
    """A number beside a page's name. late: it asks for somebody."""

    count: int
    late: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page. view: what its template shows. is_personal: it has forms, whose tokens are those of who looks."""

    path: str
    name: str
    template: str
    view: Callable[[Asked], Values]
    is_personal: bool = False


def _today(asked: Asked) -> Values:
    shown = funnel(asked.connection, midnight(asked.now, asked.zone), asked.now)
    points = orjson.dumps([list(shown.minutes), list(shown.arrived), list(shown.contacted)]).decode()
    risk, known = at_risk(asked.connection, asked.now), asked.raised
    return {"funnel": shown, "points": points, "risk": risk, "flags": known, "name": _namer(asked)}


def _risk(asked: Asked) -> Values:
    return {"risk": at_risk(asked.connection, asked.now), "name": _namer(asked)}


def _reps(asked: Asked) -> Values:
    return {"people": people(asked.connection, asked.now)}


def _rep(asked: Asked) -> Values:
    known = people(asked.connection, asked.now)
    person = known.by_id.get(asked.path["rep_id"])
    if person is None:
        raise NotThere("There is nobody of this id on the roster.")
    row = entity(asked.connection, "rep", person.id) or {}
    absences = [one for one in map(Absence.model_validate, row.get("absences", ())) if one.until > asked.now]
    return {
        "person": person,
        "absences": absences,
        "leads": of_owner(asked.connection, person.id),
        "said": asked.query.get("said", ""),
        "person_name": known.name,
        "manager": known.name(row["manager"]) if row.get("manager") else None,
    }


def _waiting(asked: Asked) -> Values:
    return {"backlog": backlog(asked.connection), "name": _namer(asked)}


def _missed(asked: Asked) -> Values:
    return {"leads": missed(asked.connection), "name": _namer(asked)}


def _flags(asked: Asked) -> Values:
    return {"flags": asked.raised}


def _notices(asked: Asked) -> Values:
    recipient = asked.query.get("for") or None
    return {"notices": in_app(asked.connection, recipient), "recipient": recipient, "name": _namer(asked)}


def _letters(asked: Asked) -> Values:
    rows = [{"id": key, **orjson.loads(value)} for key, value in entities(asked.connection, "letter").items()]
    shown = sorted(rows, key=lambda row: row["time"], reverse=True)[:SHOWN]
    letters = [row | {"at": set_aside_at(row["time"])} for row in shown]
    return {"letters": letters, "count": len(rows), "said": asked.query.get("said", "")}


def _search(asked: Asked) -> Values:
    words = asked.query.get("q", "")
    return {"leads": found(asked.connection, words), "words": words, "name": _namer(asked)}


def _lead(asked: Asked) -> Values:
    lead_id = asked.path["lead_id"]
    listed = one(asked.connection, lead_id)
    if listed is None:
        raise NotThere("The board knows no lead of this id.")
    known, active = people(asked.connection, asked.now), policies(asked.connection)
    policy = active.get(listed.lead.division)
    return {
        "one": listed,
        "people": known,
        "places": listed.lead.places,
        "queues": list(policy.file.queues) if policy else [],
        "reasons": REASONS,
        "said": asked.query.get("said", ""),
        "told_nobody": listed.lead.is_open and listed.told.is_untold(listed.lead.epoch),
    }


def _namer(asked: Asked) -> Callable[[str | None], str]:
    known = names(asked.connection)
    return lambda rep: "nobody" if rep is None else known.get(rep, rep)


class NotThere(Exception):
    """What a page is about does not exist. Becomes a page that says so, 404."""


PAGES = (
    Page("/", "Today", "today.html", _today),
    Page("/risk", "At risk", "risk.html", _risk),
    Page("/reps", "Reps", "reps.html", _reps),
    Page("/waiting", "Waiting", "waiting.html", _waiting),
    Page("/missed", "Missed", "missed.html", _missed),
    Page("/flags", "Red flags", "flags.html", _flags),
    Page("/notices", "Notices", "notices.html", _notices),
    Page("/letters", "Unreadable", "letters.html", _letters, is_personal=True),
)
"""The pages that the list beside them names, in its order."""

FURTHER = (
    Page("/search", "Search", "search.html", _search),
    Page("/leads/{lead_id}", "Lead", "lead.html", _lead, is_personal=True),
    Page("/reps/{rep_id}", "Rep", "rep.html", _rep, is_personal=True),
)


def pages_router(board: Board) -> APIRouter:
    """Return the routes of all pages."""
    router = APIRouter()
    for page in (*PAGES, *FURTHER):
        router.add_api_route(page.path, _route(board, page), methods=["GET"], include_in_schema=False)
    return router


def _route(board: Board, page: Page) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        part = await shown(board, request, page)
        headers = {"X-Part": part.mark, "Vary": "Accept-Encoding, HX-Request"}
        if request.headers.get("x-has-part") == part.mark:
            return Response(status_code=204, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return HTMLResponse(part.packed, headers=headers | {"Content-Encoding": "gzip"})
        return HTMLResponse(part.body, headers=headers)

    return answer


def viewers_zone(request: Request) -> ZoneInfo:
    """Return the zone that the browser told, UTC until it has."""
    return zone_of(unquote(request.cookies.get("zone", "")))


async def shown(board: Board, request: Request, page: Page) -> Part:
    """Return a page for whoever asks: whole, or its live part alone. Raises NotLoggedIn, NotThere."""
    now, zone = board.clock(), viewers_zone(request)
    viewer = viewer_of(board, request)
    is_part = request.headers.get("hx-request") == "true"
    whose = viewer if page.is_personal or not is_part else None
    key = f"{request.url.path}?{request.url.query} {zone.key} {is_part} {whose}"

    async def made() -> str:
        raised = await board.live.kept("flags", FLAGS_SECONDS, lambda: board.look(lambda store: flags(store, now)))
        asked_of = dict(request.query_params), dict(request.path_params), raised
        values = await board.look(lambda connection: page.view(Asked(connection, now, zone, *asked_of)))
        if "places" in values:
            values = {**values, "chapters": await _story(board, values, zone)}
        around = {} if is_part else {"nav": await board.look(lambda connection: _nav(connection, now, raised))}
        return render(
            page.template,
            zone,
            now,
            layout="part.html" if is_part else "page.html",
            here=page.path,
            url=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            viewer=whose,
            behind=board.follower.behind(),
            query=request.query_params.get("q", ""),
            **around,
            **values,
        )

    return await board.live.part(key, int(now.timestamp() // AGE_SECONDS), made)


async def _story(board: Board, values: Values, zone: ZoneInfo) -> list[Chapter] | None:
    """Return the lead's chapters, None while Kafka does not give them."""
    try:
        decisions = await asyncio.to_thread(board.decisions.decisions_at, values["places"])
    except KafkaException:
        return None
    known: People = values["people"]
    return chapters(decisions, {rep: person.name for rep, person in known.by_id.items()}, zone)


def _nav(connection: sqlite3.Connection, now: datetime, raised: Flags) -> list[tuple[str, str, Badge | None]]:
    overdue = waiting_until(connection, now.timestamp())
    waiting = counts(connection, "state")
    badges = {
        "/risk": Badge(overdue, late=True),
        "/waiting": Badge(sum(waiting.get(state, 0) for state in ("held", "queued", "quarantined")), late=False),
        "/flags": Badge(len(raised.live) + len(raised.setup), late=bool(raised.live)),
        "/letters": Badge(len(entities(connection, "letter")), late=False),
    }
    return [
        (page.path, page.name, badge if (badge := badges.get(page.path)) and badge.count else None) for page in PAGES
    ]
