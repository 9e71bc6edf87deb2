"""API keys: made once, kept as SHA-256 only, compared in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

from streams.errors import Fatal
from streams.intake.settings import IntakeSettings

_PREFIX = "lsk_"
OPEN_CLIENT = "open"


class KeysInvalid(Fatal):
    """An API key entry is not "name:sha256". Make one with `leadstream intake new-key NAME`."""


def new_key() -> str:
    """Return a fresh key: 256 random bits. A slow hash is for passwords; nobody can guess this one."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """Return what is kept of a key: its SHA-256 in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def client_of(key: str, digests: Mapping[str, str]) -> str | None:
    """Return the client's name, or None. Every entry is compared, so that time tells nothing.

    digests: client name -> SHA-256 in hex.
    """
    given = digest(key)
    found = [name for name, kept in digests.items() if hmac.compare_digest(kept, given)]
    return found[0] if found else None


def key_digests(settings: IntakeSettings) -> dict[str, str]:
    """Return client name -> digest from the settings and the keys file. Raises KeysInvalid."""
    entries = settings.keys.split(",")
    if settings.keys_file is not None:
        try:
            entries += settings.keys_file.read_text().splitlines()
        except OSError as error:
            raise KeysInvalid(f"The keys file {settings.keys_file} cannot be read: {error.strerror}.") from error
    return parsed(entries)


def parsed(entries: Iterable[str]) -> dict[str, str]:
    """Return client name -> digest of "name:sha256" entries. Raises KeysInvalid."""
    digests: dict[str, str] = {}
    for place, entry in enumerate((entry.strip() for entry in entries), start=1):
        if not entry or entry.startswith("#"):
            continue
        name, _, kept = entry.partition(":")
        if not name or len(kept) != 64 or not set(kept) <= set("0123456789abcdef"):
            raise KeysInvalid(f'API key entry {place} is not "name:sha256 in lower-case hex".')
        digests[name] = kept
    return digests
