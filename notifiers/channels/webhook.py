"""Signed webhooks (Standard Webhooks): the connector for Zapier, Make, dialers, Teams and one's own services."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from standardwebhooks import Webhook

from notifiers.address import check_url
from notifiers.http import call
from notifiers.message import Message
from notifiers.outcome import UNCONFIGURED, Sent, Suppressed
from notifiers.outside import Outside
from notifiers.settings import WebhookSettings


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """POST the message to its webhook; `webhook-id` is the key, so a receiver can drop repeats.

    Raises Retryable, Refused, or Suppressed where no receiver of that name is set.
    """
    webhooks = outside.settings.webhooks
    receiver = webhooks.get(message.to) or webhooks.get("default")
    if receiver is None:
        raise Suppressed(UNCONFIGURED)
    check_url(receiver.url, outside.settings.allowed_hosts)
    body = payload(message, receiver)
    headers = signed_headers(key, body, receiver.secret.get_secret_value())
    await call(
        outside.guarded,
        "POST",
        receiver.url,
        name="the webhook",
        timeout_seconds=timeout_seconds,
        data=body,
        headers=headers,
    )
    return Sent()


def payload(message: Message, receiver: WebhookSettings) -> bytes:
    """Return the JSON body: type, data and, where the receiver may have it, contact and the text that names them."""
    document: dict[str, Any] = {"type": f"notice.{message.template}", "data": message.data}
    if receiver.sends_contact:
        document["contact"] = message.contact
        document["message"] = {"subject": message.body.subject, "text": message.body.text}
    return orjson.dumps(document)


def signed_headers(key: str, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of Standard Webhooks for `body`: the id is the idempotency key."""
    at = datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": _signer(secret).sign(key, at, body.decode()),
    }


@lru_cache(maxsize=64)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)
