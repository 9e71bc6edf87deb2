"""The pages. Each is one view and one template; asked by htmx, it answers with its live part alone."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from streams.board.views.funnel import funnel
from streams.board.web.board import Board
from streams.board.web.login import viewer_of
from streams.board.web.rendering import midnight, render, zone_of

AGE_SECONDS = 5  # what changes with time alone is made again after so long

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a view may look at."""

    connection: sqlite3.Connection
    now: datetime
    zone: ZoneInfo
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Badge:
    """A number beside a page's name. late: it asks for somebody."""

    count: int
    late: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page. view: what its template shows."""

    path: str
    name: str
    template: str
    view: Callable[[Asked], Values]


def _today(asked: Asked) -> Values:
    shown = funnel(asked.connection, midnight(asked.now, asked.zone), asked.now)
    points = orjson.dumps([list(shown.minutes), list(shown.arrived), list(shown.contacted)]).decode()
    return {"funnel": shown, "points": points}


PAGES = (Page("/", "Today", "today.html", _today),)


def pages_router(board: Board) -> APIRouter:
    """Return the routes of all pages."""
    router = APIRouter()
    for page in PAGES:
        router.add_api_route(page.path, _route(board, page), methods=["GET"], include_in_schema=False)
    return router


def _route(board: Board, page: Page) -> Callable[..., Any]:
    async def answer(request: Request) -> HTMLResponse:
        return HTMLResponse(await shown(board, request, page))

    return answer


async def shown(board: Board, request: Request, page: Page) -> str:
    """Return a page for whoever asks: whole, or its live part alone."""
    now, zone = board.clock(), zone_of(request.cookies.get("zone", "").replace("%2F", "/"))
    viewer = viewer_of(board, request)
    is_part = request.headers.get("hx-request") == "true"
    key = f"{request.url.path}?{request.url.query} {zone.key} {is_part} {viewer} {now.timestamp() // AGE_SECONDS}"

    async def made() -> str:
        behind = await board.follower.behind()

        def looked(connection: sqlite3.Connection) -> str:
            values = page.view(Asked(connection, now, zone, dict(request.query_params)))
            around = {} if is_part else {"nav": _nav(connection, now)}
            return render(
                page.template,
                zone,
                now,
                layout="part.html" if is_part else "page.html",
                here=page.path,
                url=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
                viewer=viewer,
                behind=behind,
                query=request.query_params.get("q", ""),
                **around,
                **values,
            )

        return await board.look(looked)

    return await board.live.part(key, made)


def _nav(connection: sqlite3.Connection, now: datetime) -> list[tuple[str, str, Badge | None]]:
    return [(page.path, page.name, None) for page in PAGES]
