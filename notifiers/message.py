"""One message, composed and ready for any channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.device import Device


@dataclass(frozen=True, slots=True)
class Body:
    """Rendered text for one channel: its escaping is already done."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends.

    to: the address in the channel's own form. body: rendered for this channel. facts: (label, value) pairs, raw:
    the channel escapes them. link: where the lead can be opened. buttons: actions that come back as activity.
    receipt: what the lead's last message to this recipient on this channel returned (`Sent.receipt`).
    data: plain JSON for machines (webhook, CRM). may_be_repeat: an earlier try may have arrived.
    devices: browsers to push to. ends_at: of no use after.
    """

    lead_id: str
    decision_id: str
    person: str
    template: str
    audience: str
    recipient: str
    to: str
    body: Body
    sender_name: str | None = None
    reply_to: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    link: str | None = None
    buttons: tuple[str, ...] = ()
    receipt: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    contact: Mapping[str, Any] = field(default_factory=dict)
    urgent: bool = False
    may_be_repeat: bool = False
    devices: tuple[Device, ...] = ()
    ends_at: datetime | None = None
