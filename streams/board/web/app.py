"""The board's application: pages behind a login, one line of events, files of ours only."""

from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from streams.board.web.actions import Refused, actions_router
from streams.board.web.board import Board
from streams.board.web.guard import Guard
from streams.board.web.live import MOST_LISTENERS
from streams.board.web.login import FormTooLong, NotLoggedIn, login_router, viewer_of
from streams.board.web.metrics import metrics_router
from streams.board.web.oidc import oidc_router
from streams.board.web.pages import NotThere, pages_router, viewers_zone
from streams.board.web.rendering import render


def create_app(board: Board) -> FastAPI:
    """Return the application. What `board` holds is opened and closed by the caller."""
    app = FastAPI(title="leadstream board", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/events")
    async def events(request: Request) -> Response:
        viewer_of(board, request)
        if board.live.listeners >= MOST_LISTENERS:
            return PlainTextResponse("Too many pages are open.", 503, headers={"Retry-After": "10"})
        return StreamingResponse(board.live.events(), media_type="text/event-stream")

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.exception_handler(NotLoggedIn)
    async def to_login(request: Request, _error: Exception) -> Response:
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": "/login"})
        return (
            PlainTextResponse("Sign in first.", 401)
            if request.url.path == "/events"
            else RedirectResponse("/login", 303)
        )

    @app.exception_handler(FormTooLong)
    async def too_long(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("The form is too long.", 413)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return _problem(board, request, error.status, error.what, error.fix)

    @app.exception_handler(NotThere)
    async def not_there(request: Request, error: Exception) -> Response:
        fix = "What ended is shown for a month. Search for a company, a person or an id."
        return _problem(board, request, 404, str(error), fix)

    app.include_router(login_router(board))
    app.include_router(pages_router(board))
    app.include_router(metrics_router(board, CollectorRegistry()))
    app.include_router(actions_router(board))
    if board.settings.oidc_issuer:
        app.include_router(oidc_router(board))
    app.mount("/static", StaticFiles(directory=str(files("streams.board") / "static")))
    app.add_middleware(Guard)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    return app


def _problem(board: Board, request: Request, status: int, what: str, fix: str) -> Response:
    shown = {
        "what": what,
        "fix": fix,
        "behind": board.follower.behind(),
    }  # what is not there may not have been read yet
    return HTMLResponse(render("problem.html", viewers_zone(request), board.clock(), **shown), status)
