"""What a channel is, and the list of them. A new channel is one file and one line here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from notifiers.message import Message
from notifiers.outcome import Sent
from notifiers.outside import Outside
from notifiers.settings import ChannelSettings

Send = Callable[[Message, str, Outside, float], Awaitable[Sent]]


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach someone.

    load: gives `send`; the channel's module is loaded by it, since each brings its provider's client.
    is_configured: whether the settings name an account. recognises_repeats: the other side can tell a second arrival
    of the same key.
    """

    load: Callable[[], Send]
    is_configured: Callable[[ChannelSettings], bool]
    recognises_repeats: bool

    @property
    def send(self) -> Send:
        """send(message, key, outside, timeout_seconds).

        It returns `Sent` once the other side acknowledged, or raises `Retryable`, `Refused` or `Suppressed`. key is
        the same at every try of one delivery.
        """
        return self.load()


def _from(module: str) -> Callable[[], Send]:
    return lambda: cast(Send, import_module(f"notifiers.channels.{module}").send)


CHANNELS: dict[str, Channel] = {
    "slack": Channel(_from("slack"), lambda s: s.slack is not None, recognises_repeats=False),
    "email": Channel(_from("mail"), lambda s: s.smtp is not None, recognises_repeats=True),  # by Message-ID
    "sms": Channel(_from("sms"), lambda s: s.sms is not None, recognises_repeats=False),
    "push": Channel(_from("push"), lambda s: s.push is not None, recognises_repeats=True),
    "in_app": Channel(_from("in_app"), lambda s: True, recognises_repeats=True),
    "webhook": Channel(_from("webhook"), lambda s: bool(s.webhooks), recognises_repeats=True),
    "crm": Channel(_from("crm"), lambda s: s.crm.is_set, recognises_repeats=True),
}


def is_configured(channel: str, settings: ChannelSettings) -> bool:
    """Tell whether there is a channel of that name with an account."""
    return channel in CHANNELS and CHANNELS[channel].is_configured(settings)


def load_configured(settings: ChannelSettings) -> None:
    """Load the channels that the settings name, so that no first message waits for a client to load."""
    for channel in CHANNELS.values():
        if channel.is_configured(settings):
            _ = channel.send
