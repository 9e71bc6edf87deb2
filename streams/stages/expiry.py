"""When NOTIFY drops what it noted of a lead: by the hour in which the notes end, one sweep an hour and partition."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from notifiers.notes import LeadNotes
from schemas.effects import Delete, Effect, Put, Wake
from schemas.state import StateView
from schemas.timer import WakeUp

SWEEP = "delivery/expiry/"
_SWEPT_AT_ONCE = 500


def expiring(state: StateView, lead_id: str, person: str, expires_at: datetime) -> Iterator[Effect]:
    """Mark when a lead's notes end, and arm the sweep of that hour if nobody has.

    The wake-up is armed by each partition for itself: it returns under a key of the partition it came from.
    """
    hour = _hour(expires_at)
    yield Put(f"expiry/{hour}/{lead_id}", True)
    if state.get(f"hour/{hour}") is None:
        yield Put(f"hour/{hour}", True)
        after = expires_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        yield Wake(f"{SWEEP}{hour}/{person}", after, "leads.redeliver", person, {"hour": hour})


def swept(state: StateView, wake: WakeUp, person: str, now: datetime) -> Sequence[Effect]:
    """Drop the notes that ended in the hour; those used since move to the hour of their new end."""
    hour = str(wake.data.get("hour", ""))
    effects: list[Effect] = []
    moved: set[str] = set()
    for count, (key, _) in enumerate(state.scan(f"expiry/{hour}/")):
        if count == _SWEPT_AT_ONCE:
            effects.append(Wake(wake.waker, now, "leads.redeliver", person, dict(wake.data)))
            return effects
        lead_id = key.rsplit("/", 1)[-1]
        notes: LeadNotes | None = state.get(f"lead/{lead_id}")
        effects.append(Delete(key))
        if notes is not None and notes.expires_at > now:
            new = _hour(notes.expires_at)
            rows = expiring(state, lead_id, person, notes.expires_at)
            effects.extend(
                row for row in rows if (isinstance(row, Put) and row.key.startswith("expiry/")) or new not in moved
            )
            moved.add(new)
        elif notes is not None:
            effects.append(Delete(f"lead/{lead_id}"))
    return (*effects, Delete(f"hour/{hour}"))


def _hour(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%d%H}"
