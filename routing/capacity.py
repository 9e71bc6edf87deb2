"""Load against limit, and caps per hour, day, week and month (CAPA-1 to CAPA-4). Hundredths of a point throughout."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from routing.rep_state import RepState, RosterRow, Used
from schemas.value import value

FULL = "full"
CAPPED = "cap reached"

_WINDOWS: dict[str, Callable[[datetime], str]] = {
    "hour": lambda at: at.strftime("%Y-%m-%dT%H%z"),
    "day": lambda at: at.strftime("%Y-%m-%d"),
    "week": lambda at: "{}-W{:02}".format(*at.isocalendar()[:2]),
    "month": lambda at: at.strftime("%Y-%m"),
}


def limit_of(row: RosterRow, default: int, ramping_percent: int, today: date) -> int:
    """Return the rep's limit: the roster's, else the policy's `default`; times the ramp's share.

    ramping_percent: share of the default for a rep without a limit of their own and without ramp dates.
    """
    if row.ramp:
        return (default if row.limit is None else row.limit) * _ramp_percent(row, today) // 100
    return default * ramping_percent // 100 if row.limit is None else row.limit


def weight_of(row: RosterRow, by_seniority: dict[str, int], today: date) -> int:
    """Return the rep's weight in hundredths: the roster's, else by seniority; times the ramp's share."""
    weight = by_seniority.get(row.seniority, 100) if row.weight is None else row.weight
    return weight * _ramp_percent(row, today) // 100 if row.ramp else weight


@value
class Capping:
    """The caps of a rep or pool: window name -> most leads; zone: IANA, where the windows begin."""

    caps: Mapping[str, int]
    zone: str


def shortage(rep: RepState, limit: int, adds: int, now: datetime, capping: Capping) -> str | None:
    """Return why a lead of `adds` does not fit, None when it does: load + adds <= limit, and no cap used up."""
    return FULL if rep.load + adds > limit else cap_reached(capping, rep.used, now)


def cap_reached(capping: Capping, used: Mapping[str, Used], now: datetime) -> str | None:
    """Return which cap is used up, None when there is room. used: cap -> use of its latest window."""
    for cap, most in capping.caps.items():
        row = used.get(cap)
        if most == 0 or (row is not None and row.leads >= most and row.window == window(capping.zone, cap, now)):
            return f"{CAPPED}: {most} {'an' if cap == 'hour' else 'a'} {cap}"
    return None


def counted(capping: Capping, used: Mapping[str, Used], now: datetime) -> dict[str, Used]:
    """Return `used` with one more lead in each capped window."""
    return {cap: _counted(used.get(cap), window(capping.zone, cap, now)) for cap in capping.caps}


def with_lead(rep: RepState, adds: int, now: datetime, capping: Capping) -> RepState:
    """Return the rep with one more lead of `adds`, counted in each capped window."""
    used = counted(capping, rep.used, now) if capping.caps else rep.used
    return RepState(rep.id, rep.row, rep.load + adds, rep.leads + 1, used, rep.moved_to, rep.changed_at)


def without_lead(rep: RepState, points: int) -> RepState:
    """Return the rep with one lead of `points` fewer. What a cap counted stays counted."""
    return replace(rep, load=rep.load - points, leads=max(rep.leads - 1, 0))


def window(zone: str, cap: str, now: datetime) -> str:
    """Return the running window of a cap in a zone, for example "2026-03-10T14-0500"."""
    return _WINDOWS[cap](now.astimezone(ZoneInfo(zone)))


def _counted(used: Used | None, running: str) -> Used:
    return Used(running, used.leads + 1) if used is not None and used.window == running else Used(running, 1)


def _ramp_percent(row: RosterRow, today: date) -> int:
    percent = 100
    for step in row.ramp:
        if step.start <= today:
            percent = step.percent
    return percent
