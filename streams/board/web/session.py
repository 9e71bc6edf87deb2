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
    """A person, or a screen on the wall. id: what actions are recorded under: a rep id, a key's name, or the provider's
    subject, never an address. csrf: what each of their forms carries. can_leave: there was a login.
    """

    id: str
    name: str
    may_act: bool
    csrf: str
    can_leave: bool = True


def signed(secret: bytes, who: str, name: str, seconds: float, now: float | None = None) -> str:
    """Return the cookie of a login that holds for so long."""
    until = int((time.time() if now is None else now) + seconds)
    return jwt.encode({"sub": who, "name": name, "exp": until, "aud": "board"}, key_for(secret, "session"), _ALGORITHM)


def login_in(secret: bytes, cookie: str | None) -> tuple[str, str] | None:
    """Return whose login the cookie says, (id, name); None where it is none of ours, changed or too old."""
    if not cookie:
        return None
    try:
        said = jwt.decode(
            cookie,
            key_for(secret, "session"),
            algorithms=[_ALGORITHM],
            audience="board",
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        return None
    return str(said["sub"]), str(said.get("name", said["sub"]))


def csrf_of(secret: bytes, cookie: str) -> str:
    """Return what a form of this login carries: nobody who cannot read our pages knows it."""
    return hmac.new(key_for(secret, "csrf"), cookie.encode(), hashlib.sha256).hexdigest()


def is_csrf(expected: str, given: str) -> bool:
    """Tell whether a form came from a page of this login. Compared in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())


def key_for(secret: bytes, purpose: str) -> bytes:
    """Return a key of one purpose: nothing that is signed for one is good for another."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()
