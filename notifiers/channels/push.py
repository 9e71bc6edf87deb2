"""Push: a signed webhook to a gateway that knows the reps' devices (web push, APNs, FCM are its business)."""

import orjson

from notifiers.channels.webhook import signed_headers
from notifiers.http import call
from notifiers.message import Message
from notifiers.outcome import Sent, Suppressed
from notifiers.outside import Outside


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """POST title, text and link for one device. The gateway drops repeats by `webhook-id`.

    Raises Retryable, Refused or Suppressed.
    """
    push = outside.settings.push
    if push is None:
        raise Suppressed("channel not configured")
    data = {
        "device": message.to,
        "title": message.body.subject,
        "text": message.body.text,
        "url": message.link,
        "urgency": "high" if message.urgent else "normal",
        "tag": message.lead_id,  # a newer notice of the lead replaces the older one on the device
    }
    body = orjson.dumps({"type": "push.requested", "data": data})
    await call(
        outside.session,
        "POST",
        push.url,
        name="the push gateway",
        timeout_seconds=timeout_seconds,
        data=body,
        headers=signed_headers(key, body, push.secret.get_secret_value()),
    )
    return Sent()
