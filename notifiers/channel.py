"""What a channel is, and the list of them. A new channel is one file and one line here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from notifiers.channels import crm, in_app, mail, push, slack, sms, webhook
from notifiers.message import Message
from notifiers.outcome import Sent
from notifiers.outside import Outside
from notifiers.settings import ChannelSettings

Send = Callable[[Message, str, Outside, float], Awaitable[Sent]]


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach someone.

    send(message, key, outside, timeout_seconds) returns `Sent` once the other side acknowledged, or raises
    `Retryable`, `Refused` or `Suppressed`. key is the same at every try of one delivery.
    recognises_repeats: the other side can tell a second arrival of the same key.
    """

    send: Send
    is_configured: Callable[[ChannelSettings], bool]
    recognises_repeats: bool


CHANNELS: dict[str, Channel] = {
    "slack": Channel(slack.send, lambda s: s.slack is not None, recognises_repeats=False),
    "email": Channel(mail.send, lambda s: s.smtp is not None, recognises_repeats=True),  # by Message-ID
    "sms": Channel(sms.send, lambda s: s.sms is not None, recognises_repeats=False),
    "push": Channel(push.send, lambda s: s.push is not None, recognises_repeats=True),
    "in_app": Channel(in_app.send, lambda s: True, recognises_repeats=True),
    "webhook": Channel(webhook.send, lambda s: bool(s.webhooks), recognises_repeats=True),
    "crm": Channel(crm.send, crm.is_configured, recognises_repeats=True),
}
