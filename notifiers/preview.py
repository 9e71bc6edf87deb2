"""What a decision's notices will look like, without sending anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from notifiers.channels import mail, slack
from notifiers.compose import RepOf, message_for
from notifiers.delivery import opened
from notifiers.mail_html import html_of
from notifiers.outcome import Suppressed
from notifiers.settings import ChannelSettings
from notifiers.templates import Templates
from schemas.decision import Decision
from schemas.device import Device


@dataclass(frozen=True, slots=True)
class Shown:
    """One message. subject and text as the recipient reads them; raw: the channel's own form (Slack blocks, HTML).

    reason: why it would not be sent; then the rest is empty.
    """

    notice: str
    recipient: str
    channel: str
    subject: str = ""
    text: str = ""
    raw: Any = None
    reason: str = ""


def preview(
    decision: Decision,
    channel: str | None,
    rep_of: RepOf,
    devices_of: Callable[[str], tuple[Device, ...]],
    templates: Templates,
    settings: ChannelSettings,
) -> Iterator[Shown]:
    """Yield every message of `decision`, or those of one channel. It holds personal data: show it, don't log it."""
    for row in opened(decision, settings, decision.at).rows:
        if channel is not None and row.channel != channel:
            continue
        try:
            message = message_for(decision, row, rep_of, templates, settings, {}, devices=devices_of(row.recipient))
        except Suppressed as error:
            yield Shown(row.notice, row.recipient, row.channel, reason=error.reason)
            continue
        raw: Any
        match row.channel:
            case "slack":
                text, raw = message.body.text, slack.blocks(message)
            case "email":
                text, raw = mail.text_of(message), html_of(message)
            case _:
                text, raw = message.body.text, dict(message.data)
        yield Shown(row.notice, row.recipient, row.channel, message.body.subject, text, raw)
