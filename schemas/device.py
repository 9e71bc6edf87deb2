"""A browser that a rep lets us push to."""

import hashlib

from pydantic import AwareDatetime

from schemas.model import Written


class Device(Written):
    """In `devices`, by "<rep>/<id>": one push subscription (W3C Push API). A tombstone ends it.

    id: made of the endpoint. endpoint: the push service's URL for this browser, a secret of its own.
    p256dh, auth: the browser's public key and authentication secret, base64url, as `PushSubscription.toJSON()` gives
    them.
    """

    rep: str
    id: str
    endpoint: str
    p256dh: str
    auth: str
    at: AwareDatetime

    @property
    def key(self) -> str:
        return f"{self.rep}/{self.id}"


def device_id(endpoint: str) -> str:
    """Return the id of the subscription behind an endpoint, 32 hex digits that do not give the endpoint away."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]
