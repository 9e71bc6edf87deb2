"""A request as a form tool makes it, and how to tell that it is theirs."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streams.intake.forms.source import Form


@dataclass(frozen=True, slots=True)
class Call:
    """One POST. headers: lower-case names. url: as the caller knows it. now: aware UTC."""

    body: bytes
    headers: Mapping[str, str]
    url: str
    now: datetime


class CallRefused(Exception):
    """The body is not what this kind of form sends; the message says what is missing, without its values."""


class NotReachable(Exception):
    """What was submitted could not be fetched from the form tool now; it should send its request again."""


Fetch = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[Any]]
"""`await fetch(url, query, headers)`: the JSON that a form tool's API answers. Raises NotReachable."""

Lead = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one form tool talks. leads: the submissions of a signed call, each with an `id` that a repeat has again.

    challenge: query -> what a GET is answered with, as text or JSON; None refuses it.
    """

    is_signed: Callable[[Call, Form], bool]
    leads: Callable[[Call, Form, Fetch], Awaitable[tuple[Lead, ...]]]
    challenge: Callable[[Mapping[str, str], Form], str | dict[str, str] | None] = lambda query, form: None


def hex_digest(secret: str, text: bytes) -> str:
    """Return the HMAC-SHA256 of `text` in lower-case hex."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def base64_digest(secret: str, text: bytes) -> str:
    """Return the HMAC-SHA256 of `text` in base64."""
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def is_same(expected: str, given: str) -> bool:
    """Tell whether two signatures are equal, in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())
