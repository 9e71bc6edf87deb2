"""Web push (RFC 8030): encrypted for the browser (RFC 8291), signed with our VAPID key (RFC 8292)."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import http_ece
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02, VapidException
from yarl import URL

from notifiers.address import check_url
from notifiers.http import call
from notifiers.message import Message
from notifiers.outcome import UNCONFIGURED, Refused, Retryable, Sent, Suppressed
from notifiers.outside import Outside
from notifiers.settings import PushSettings
from schemas.device import Device

MOST_BYTES = 3_993  # of plain text: what push services must take is 4,096 bytes with the encryption's own
_GONE = frozenset({404, 410})
_HOUR_SECONDS = 3_600
_SIGNED_HOURS = 12  # services refuse more than 24
_KEPT_SECONDS = 3_600


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """Push to each of the recipient's devices; one that takes it is enough.

    A repeat has the same `Topic`, which replaces what the service still holds, and the same tag, which replaces what
    the device shows. `ended` names devices whose subscription is over.
    Raises Retryable, Refused, or Suppressed where no device is left.
    """
    push = outside.settings.push
    if push is None:
        raise Suppressed(UNCONFIGURED)
    body = payload(message, key)
    ended: list[str] = []
    failures: list[Retryable | Refused] = []
    has_arrived = False
    for device in message.devices:
        try:
            if await _pushed(device, body, _headers(message, key), push, outside, timeout_seconds):
                has_arrived = True
            else:
                ended.append(device.key)
        except (Retryable, Refused) as error:
            failures.append(error)
    if has_arrived:
        return Sent(ended=tuple(ended))
    if failures:
        raise next((error for error in failures if isinstance(error, Retryable)), failures[0])
    raise Suppressed("the push subscription has ended", ended=tuple(ended))


def payload(message: Message, key: str) -> bytes:
    """Return what the service worker gets: id, title, body, url, tag (the lead: a newer notice replaces an older one).

    A body that would not fit is cut.
    """
    shown = {
        "id": key,
        "title": message.body.subject,
        "body": message.body.text,
        "url": message.link,
        "tag": message.lead_id,
        "urgent": message.urgent,
    }
    encoded = orjson.dumps(shown)
    if len(encoded) > MOST_BYTES:
        cut = orjson.dumps(shown | {"title": message.body.subject[:80], "body": message.body.text[:160], "url": None})
        return cut if len(cut) <= MOST_BYTES else orjson.dumps({"id": key, "title": "A lead", "tag": message.lead_id})
    return encoded


async def _pushed(
    device: Device,
    body: bytes,
    headers: Mapping[str, str],
    push: PushSettings,
    outside: Outside,
    timeout_seconds: float,
) -> bool:
    """Hand the message to the device's push service. False: the subscription is over. Raises Retryable, Refused."""
    endpoint = _endpoint(device.endpoint, outside.settings.allowed_hosts)
    signed = _authorization(push.private_key.get_secret_value(), push.subject, str(endpoint.origin()), _expiry())
    status, _, _ = await call(
        outside.guarded,
        "POST",
        device.endpoint,
        name="the push service",
        timeout_seconds=timeout_seconds,
        accepted=_GONE,
        data=encrypted(body, device),
        headers={**headers, "Authorization": signed},
    )
    return status not in _GONE


def _endpoint(url: str, allowed_hosts: frozenset[str]) -> URL:
    check_url(url, allowed_hosts, name="the push endpoint")
    endpoint = URL(url)
    if endpoint.scheme != "https" and endpoint.host not in allowed_hosts:
        raise Refused("the push endpoint must be https")
    return endpoint


def encrypted(body: bytes, device: Device) -> bytes:
    """Return `body` as only the device can read it. Raises Refused where its keys are none."""
    try:
        public, secret = _unpadded(device.p256dh), _unpadded(device.auth)
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        sealed = http_ece.encrypt(body, private_key=ephemeral, dh=public, auth_secret=secret, version="aes128gcm")
    except (ValueError, binascii.Error, http_ece.ECEException):
        raise Refused("the push subscription's keys cannot be read") from None
    return bytes(sealed)


def _unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _headers(message: Message, key: str) -> dict[str, str]:
    left = _KEPT_SECONDS
    if message.ends_at is not None:
        left = max(0, int((message.ends_at - datetime.now(UTC)).total_seconds()))
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(left),
        "Urgency": "high" if message.urgent else "normal",
        "Topic": key.replace("-", "")[:32],
    }


def _expiry() -> int:
    """Return when a signature made now ends: the same for all of an hour, so that services see few tokens."""
    return (int(datetime.now(UTC).timestamp()) // _HOUR_SECONDS + _SIGNED_HOURS) * _HOUR_SECONDS


@lru_cache(maxsize=64)
def _authorization(private_key: str, subject: str, audience: str, expires: int) -> str:
    try:
        signer = Vapid02.from_raw(private_key.encode())
        claims = {"sub": subject, "aud": audience, "exp": expires}
        return str(signer.sign(claims)["Authorization"])
    except (ValueError, VapidException):
        raise Refused("the VAPID key or subject cannot be used") from None
