"""Who is let in: a key, an OpenID Connect login, or, on loopback only and said so, anybody."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from streams.board.web.board import Board
from streams.board.web.rendering import ENVIRONMENT
from streams.board.web.session import COOKIE, Viewer, csrf_of, is_csrf, login_in, signed
from streams.intake.api_key import client_of

OPEN = "anybody on this machine"
OPEN_PATHS = ("/login", "/healthz", "/readyz")
FORM_BYTES = 16_384


class NotLoggedIn(Exception):
    """Nobody knows who asks. Becomes a redirect to /login."""


class FormTooLong(Exception):
    """A form of more than `FORM_BYTES`. Becomes 413."""


def viewer_of(board: Board, request: Request) -> Viewer:
    """Return who asks. Raises NotLoggedIn."""
    cookie = request.cookies.get(COOKIE)
    login = login_in(board.secret, cookie)
    if login is not None and cookie is not None:
        who, name = login
        may_act = board.settings.may_act(who) or board.settings.may_act(name)
        return Viewer(who, name, may_act, csrf_of(board.secret, cookie))
    if board.settings.is_open:
        return Viewer("board", OPEN, board.settings.may_act("board"), csrf_of(board.secret, OPEN), can_leave=False)
    raise NotLoggedIn


def with_session(board: Board, who: str, name: str, answer: Response) -> Response:
    """Return the answer with the cookie of a login."""
    seconds = board.settings.session_hours * 3600
    answer.set_cookie(
        COOKIE,
        signed(board.secret, who, name, seconds),
        max_age=int(seconds),
        httponly=True,
        samesite="lax",
        secure=board.settings.public_url.startswith("https:"),
    )
    return answer


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first value of each. Raises FormTooLong."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise FormTooLong
    return {name: values[0].strip() for name, values in parse_qs(body.decode(errors="replace")).items()}


def login_router(board: Board) -> APIRouter:
    """Return the routes of logging in and out."""
    router = APIRouter()

    @router.get("/login", include_in_schema=False)
    async def ask() -> HTMLResponse:
        return door(board)

    @router.post("/login", include_in_schema=False)
    async def enter(request: Request) -> Response:
        name = client_of((await form_of(request)).get("key", ""), board.digests)
        if name is None:
            return door(board, "This key is not known. Check that it was copied whole.", 401)
        return with_session(board, name, name, RedirectResponse("/", 303))

    @router.post("/logout", include_in_schema=False)
    async def leave(request: Request) -> Response:
        if not is_csrf(viewer_of(board, request).csrf, (await form_of(request)).get("csrf", "")):
            return RedirectResponse("/", 303)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def door(board: Board, problem: str = "", status: int = 200) -> HTMLResponse:
    """Return the page to sign in on."""
    page = ENVIRONMENT.get_template("login.html").render(
        problem=problem, has_keys=bool(board.digests), has_oidc=bool(board.settings.oidc_issuer)
    )
    return HTMLResponse(page, status)
