"""What a visitor has said in earlier forms, sealed and left with the visitor: nothing is kept here to be asked about.

A site that wants to ask nothing twice must know who is there. Looking up an address that somebody typed would tell
anybody who types it what is known of its owner. So what was said goes back to the browser that said it, encrypted and
authenticated (AES-SIV) under a key made of the person secret; only the intake can open it, and it tells what to ask
next, never a value.
"""

import hashlib
import hmac
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST_BYTES = 2_600  # sealed and in base64 it fits into a cookie of 4 kB
LONGEST_VALUE = 300
_LARGEST = 2**53  # what JSON numbers hold exactly everywhere
ANSWERS = "answers"

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Profile:
    """said: field, or "answers.<name>" -> value and the day on which it was said."""

    said: Mapping[str, tuple[Value, date]] = field(default_factory=dict)

    def with_fields(self, fields: Mapping[str, Any], names: Collection[str], today: date) -> "Profile":
        """Return the profile with what `fields` says anew of `names`. What is too long to be kept is left out."""
        said = dict(self.said)
        for name in names:
            value = value_of(fields, name)
            if _is_kept(value):
                said[name] = (value, today)
        found = Profile(said)
        while len(found.data()) > LONGEST_BYTES:
            said.pop(max(said, key=lambda name: len(str(said[name][0]))))
            found = Profile(said)
        return found

    def known(self, since: date) -> frozenset[str]:
        """Return what was said on `since` or later."""
        return frozenset(name for name, (_, day) in self.said.items() if day >= since)

    def under(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return a submission with what it leaves blank filled from the profile."""
        found = dict(fields)
        answers = dict(found[ANSWERS]) if isinstance(found.get(ANSWERS), dict) else {}
        for name, (value, _) in self.said.items():
            group, _, inner = name.partition(".")
            held = answers if inner else found
            if held.get(inner or group) in (None, ""):
                held[inner or group] = value
        return found | ({ANSWERS: answers} if answers else {})

    def data(self) -> bytes:
        """Return the profile as JSON, to be sealed."""
        return orjson.dumps({name: [value, day.isoformat()] for name, (value, day) in self.said.items()})


def _is_kept(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= _LARGEST
    return isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE


def value_of(fields: Mapping[str, Any], name: str) -> Any:
    """Return a field of a submission, "answers.<name>" included; None where it says nothing."""
    group, _, inner = name.partition(".")
    held = fields.get(group)
    if not inner:
        return held
    return held.get(inner) if isinstance(held, dict) else None


def sealed(profile: Profile, secret: bytes) -> str:
    """Return the profile as text for a cookie. The same profile is the same text, so it is no visitor's number."""
    return urlsafe_b64encode(_box(secret).encrypt(profile.data(), None)).decode()


def opened(text: Any, secret: bytes) -> Profile:
    """Return the profile; an empty one where the text is none, is forged, or was sealed under another secret."""
    if not isinstance(text, str) or not text:
        return Profile()
    try:
        rows = orjson.loads(_box(secret).decrypt(urlsafe_b64decode(text.encode()), None))
    except (InvalidTag, NotBase64, ValueError):
        return Profile()
    return Profile({name: (value, date.fromisoformat(day)) for name, (value, day) in rows.items()})


def _box(secret: bytes) -> AESSIV:
    return AESSIV(hmac.new(secret, b"profile", hashlib.sha512).digest())
