"""A push service (RFC 8030) with browsers behind it: checks the VAPID signature, decrypts with the browser's keys."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import http_ece
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from schemas.device import Device, device_id
from tests.lab.http_server import Got

PRIVATE_KEY = urlsafe_b64encode(bytes(range(1, 33))).decode().rstrip("=")
SUBJECT = "mailto:ops@us.example"
MOST_BYTES = 4_096


def settings(**changes: Any) -> dict[str, Any]:
    """Return `push` of the settings."""
    return {"private_key": PRIVATE_KEY, "subject": SUBJECT, **changes}


@dataclass
class Browser:
    """One subscription. shown: what its service worker got, by tag; the last one of a tag is what the user sees."""

    name: str = "b1"
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.derive_private_key(7, ec.SECP256R1()))
    secret: bytes = b"sixteen byte key"
    is_gone: bool = False
    got: list[dict[str, Any]] = field(default_factory=list)

    def device(self, url: str, rep: str = "M1") -> Device:
        """Return the subscription under a push service at `url`."""
        public = self.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        endpoint = f"{url}/push/{self.name}"
        return Device(
            rep=rep,
            id=device_id(endpoint),
            endpoint=endpoint,
            p256dh=_text(public),
            auth=_text(self.secret),
            at=datetime(2026, 3, 10, 14, 14, tzinfo=UTC),
        )


@dataclass
class PushService:
    """Answers as push services do. Objects with 4xx to what a real one would refuse. on_push: called with each message.

    headers: of each message that was taken.
    """

    browsers: dict[str, Browser] = field(default_factory=lambda: {"b1": Browser()})
    headers: list[dict[str, str]] = field(default_factory=list)
    on_push: Callable[[dict[str, Any]], None] = lambda _: None

    async def __call__(self, got: Got) -> web.StreamResponse:
        browser = self.browsers.get(got.path.rsplit("/", 1)[-1])
        if browser is None:
            return web.Response(status=404)
        if browser.is_gone:
            return web.Response(status=410)
        problem = _problem(got)
        if problem:
            return web.json_response({"reason": problem}, status=400)
        plain = http_ece.decrypt(
            got.body, private_key=browser.private_key, auth_secret=browser.secret, version="aes128gcm"
        )
        self.headers.append(got.headers)
        message = orjson.loads(plain)
        browser.got.append(message)
        self.on_push(message)
        return web.Response(status=201, headers={"Location": f"/message/{len(self.headers)}"})

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for browser in self.browsers.values() for message in browser.got]


def _problem(got: Got) -> str:
    """Return what a push service refuses this for, "" where it takes it."""
    headers = got.headers
    if headers.get("content-encoding") != "aes128gcm" or len(got.body) > MOST_BYTES:
        return "encoding or size"
    if not headers.get("ttl", "").isdigit() or headers.get("urgency") not in ("very-low", "low", "normal", "high"):
        return "TTL or Urgency"
    if len(headers.get("topic", "")) > 32:
        return "Topic"
    signed = headers.get("authorization", "")
    if not Vapid02.verify(signed):
        return "signature"
    claims = orjson.loads(_bytes(signed.split("t=", 1)[1].split(",", 1)[0].split(".")[1]))
    if not time.time() < claims["exp"] <= time.time() + 86_400 or claims["sub"] != SUBJECT:
        return "claims"
    return "" if claims["aud"] == f"http://{headers['host']}" else "audience"


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
