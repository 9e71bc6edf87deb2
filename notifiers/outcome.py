"""What one try to deliver came to. Channels return `Sent` or raise; the courier turns both into an `Attempt`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side acknowledged.

    receipt: what later messages of the lead need (a thread's id), plain text, nothing personal.
    was_known: the other side already had this key; nothing was sent a second time.
    ended: keys of devices that can be reached no more.
    """

    receipt: Mapping[str, str] = field(default_factory=dict)
    was_known: bool = False
    ended: tuple[str, ...] = ()


class DeliveryError(Exception):
    """A message was not acknowledged. reason: plain words for the record, without personal data or secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(DeliveryError):
    """The other side may take it later.

    after_seconds: what it asked for (Retry-After), None if it did not say. may_have_arrived: the request went out
    and no answer came back, so the next try may be a repeat. is_throttled: the whole channel was told to slow down.
    """

    def __init__(
        self,
        reason: str,
        *,
        after_seconds: float | None = None,
        may_have_arrived: bool = False,
        is_throttled: bool = False,
    ) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds
        self.may_have_arrived = may_have_arrived
        self.is_throttled = is_throttled


class Refused(DeliveryError):
    """The other side will never take this message; trying again is useless."""


class Suppressed(DeliveryError):
    """Nothing was sent, on purpose: no channel, no address, no consent. ended: as in `Sent`."""

    def __init__(self, reason: str, *, ended: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.ended = ended


UNCONFIGURED = "channel not configured"


class Try(StrEnum):
    DELIVERED = "delivered"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    OVERTAKEN = "overtaken"  # a later decision made it pointless
    LATER = "later"  # a call was made and failed: counts, backs off
    WAITING = "waiting"  # no call was made or it is still under way: does not count


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. at: when its result was known, UTC. after_seconds: not before, from `at`; None: usual back-off.

    place: where it waits with others for its lane (`Parcel.place`); "": it is asked about again by itself.
    """

    result: Try
    at: datetime
    reason: str = ""
    after_seconds: float | None = None
    may_have_arrived: bool = False
    was_repeat: bool = False
    receipt: Mapping[str, str] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    place: str = ""
