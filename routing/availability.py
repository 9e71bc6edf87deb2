"""Who is there: shifts, leave, sickness, vacancy, deactivation (AVL-1, AVL-3)."""

from collections.abc import Callable
from datetime import datetime

from routing.calendar.business_time import Calendar, is_open
from routing.rep_state import RepState, RosterRow, Standby

INACTIVE = "inactive"
VACANT = "vacant"
ABSENT = "absent"
LEAVE_AHEAD = "leave before the contact deadline"
OFF_SHIFT = "off shift"
UNKNOWN = "not on the roster"
MOVED = "moved to another division"

OpenAt = Callable[[str | None], bool]
"""Rep hours (as in `RosterRow.hours`, None: the pool's) -> whether they are open now."""

# Words that a CRM or chat status uses for somebody who is not there; "busy" only means in a call.
_AWAY = frozenset({"sick", "away"})


def absence(rep: RepState | None, now: datetime, needed_until: datetime) -> str | None:
    """Return why the rep is absent, None when present. Shifts are not looked at.

    needed_until: the contact deadline; leave that starts before it counts already.
    """
    away = standing_absence(rep)
    if away is not None or rep is None or rep.row is None:
        return away
    return leave(rep.row, now, needed_until) if rep.row.leaves else None


def standing_absence(rep: RepState | None) -> str | None:
    """Return why the rep is absent at any hour: off the roster, inactive, vacant, sick or away; None otherwise."""
    if rep is None or rep.row is None:
        return MOVED if rep is not None and rep.moved_to else UNKNOWN
    row = rep.row
    if not row.active:
        return INACTIVE
    if row.vacant:
        return VACANT
    return ABSENT if row.status in _AWAY else None


def has_left(rep: RepState | None) -> bool:
    """Tell whether somebody is gone for good: deactivated, off the roster, or in another division."""
    return rep is None or rep.row is None or not rep.row.active


def backups_now(row: RosterRow, now: datetime) -> tuple[str, ...]:
    """Return the ids of the rep's backups whose dates hold now, in order."""
    return tuple(backup.rep for backup in row.backups if _holds(backup, now))


class Shifts:
    """Whether calendars are open at one instant, each asked once a decision. fallback: hours of the pool or policy."""

    def __init__(self, now: datetime, calendar_from: Callable[[str], Calendar], fallback: Calendar | None) -> None:
        self._now = now
        self._calendar_from = calendar_from
        self._open: dict[str | None, bool] = {None: fallback is None or is_open(fallback, now)}

    def __call__(self, hours: str | None) -> bool:
        known = self._open.get(hours)
        if known is None:
            known = self._open[hours] = hours is None or is_open(self._calendar_from(hours), self._now)
        return known


def leave(row: RosterRow, now: datetime, needed_until: datetime) -> str | None:
    """Return why the rep's dated leave keeps the lead from them, None when it does not."""
    for away in row.leaves:
        if away.start <= now < away.until:
            return ABSENT
        if now < away.start < needed_until:
            return LEAVE_AHEAD
    return None


def _holds(backup: Standby, now: datetime) -> bool:
    return (backup.start is None or backup.start <= now) and (backup.until is None or now < backup.until)
