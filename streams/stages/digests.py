"""A recipient's digest in NOTIFY: filled a notice at a time, sent once it is due.

Notices of many leads, and so of many partitions, come together under their recipient by way of leads.redeliver.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeGuard

from notifiers.delivery import Ledger
from notifiers.digest import Digest, closed, collected, items_of
from notifiers.settings import ChannelSettings
from schemas.decision import Decision
from schemas.digest import DigestItem
from schemas.effects import Effect, Emit, Put, Wake
from schemas.state import StateView
from schemas.timer import WakeUp

DIGEST = "delivery/digest/"


def is_for_digest(value: Any) -> TypeGuard[WakeUp]:
    """Tell whether a value is the wake-up that sends somebody's digest."""
    return isinstance(value, WakeUp) and value.waker.startswith(DIGEST)


def closed_digest(state: StateView, wake: WakeUp, settings: ChannelSettings, now: datetime) -> Ledger | None:
    """Return the deliveries of the digest that `wake` is for; None where it is gone or not due yet."""
    digest: Digest | None = state.get(f"digest/{wake.waker.removeprefix(DIGEST)}")
    return closed(digest, settings, now) if digest is not None and digest.due_at <= now else None


def handed_over(decision: Decision) -> Iterator[Effect]:
    """Yield each notice of a decision that waits for a digest, on its way to its recipient's partition."""
    for item in items_of(decision):
        tag = f"digest/{item.notice}/{item.recipient}"
        yield Emit("leads.redeliver", item.recipient, "digest.item", item, tag=tag)


def put_in(state: StateView, item: DigestItem, now: datetime) -> Sequence[Effect]:
    """Put a notice into its recipient's digest, and arm the wake-up that sends it."""
    key = f"digest/{item.recipient}"
    known: Digest | None = state.get(key)
    after = collected(known, item, now)
    if after is known:
        return ()
    return (Put(key, after), Wake(f"{DIGEST}{item.recipient}", after.due_at, "leads.redeliver", item.recipient, {}))
