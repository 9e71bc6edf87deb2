"""Who looks: a signed cookie that says a name and until when. Nothing is kept on the server."""

import hashlib
import hmac
import time
from dataclasses import dataclass

import jwt

COOKIE = "board"
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person, or a screen on the wall. csrf: what each of their forms carries. can_leave: there was a login."""

    name: str
    may_act: bool
    csrf: str
    can_leave: bool = True


def signed(secret: bytes, name: str, seconds: float, now: float | None = None) -> str:
    """Return the cookie of a login that holds for so long."""
    until = int((time.time() if now is None else now) + seconds)
    return jwt.encode({"sub": name, "exp": until, "aud": "board"}, _key(secret, "session"), _ALGORITHM)


def name_in(secret: bytes, cookie: str | None) -> str | None:
    """Return whose login the cookie says, None where it is none of ours, changed or too old."""
    if not cookie:
        return None
    try:
        said = jwt.decode(
            cookie,
            _key(secret, "session"),
            algorithms=[_ALGORITHM],
            audience="board",
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        return None
    return str(said["sub"])


def csrf_of(secret: bytes, cookie: str) -> str:
    """Return what a form of this login carries: nobody who cannot read our pages knows it."""
    return hmac.new(_key(secret, "csrf"), cookie.encode(), hashlib.sha256).hexdigest()


def is_csrf(secret: bytes, cookie: str, given: str) -> bool:
    """Tell whether a form came from a page of this login. Compared in constant time."""
    return hmac.compare_digest(csrf_of(secret, cookie).encode(), given.encode())


def _key(secret: bytes, purpose: str) -> bytes:
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()
