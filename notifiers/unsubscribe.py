"""The one-click link out of automatic replies: signed, and without personal data."""

import hashlib
import hmac
from urllib.parse import urlencode

from notifiers.settings import ChannelSettings


def unsubscribe_token(secret: bytes, person: str) -> str:
    """Return the signature that a link for `person` (a person id) carries: 32 hex digits of HMAC-SHA256."""
    return hmac.new(secret, f"unsubscribe/{person}".encode(), hashlib.sha256).hexdigest()[:32]


def is_unsubscribe_token(secret: bytes, person: str, token: str) -> bool:
    """Tell whether `token` was made for `person`; constant time."""
    return hmac.compare_digest(unsubscribe_token(secret, person).encode(), token.encode())


def unsubscribe_link(settings: ChannelSettings, person: str) -> str | None:
    """Return the link for List-Unsubscribe, or None where URL or secret are not set."""
    if settings.unsubscribe_url is None or settings.unsubscribe_secret is None:
        return None
    token = unsubscribe_token(settings.unsubscribe_secret.get_secret_value().encode(), person)
    return f"{settings.unsubscribe_url}?{urlencode({'p': person, 't': token})}"
