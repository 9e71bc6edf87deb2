"""Load against limit, and caps per hour, day, week and month (CAPA-1 to CAPA-4). Hundredths of a point throughout."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from routing.rep_state import RepState, RosterRow, Used

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


def shortage(rep: RepState, limit: int, adds: int, now: datetime) -> str | None:
    """Return why a lead of `adds` does not fit, None when it does: load + adds <= limit, and no cap used up."""
    if rep.load + adds > limit:
        return FULL
    row = rep.row
    if row is None or not row.caps:
        return None
    for cap, most in row.caps.items():
        used = rep.used.get(cap)
        if most == 0 or (used is not None and used.leads >= most and used.window == window(row, cap, now)):
            return f"{CAPPED}: {most} a {cap}"
    return None


def with_lead(rep: RepState, adds: int, now: datetime) -> RepState:
    """Return the rep with one more lead of `adds`, counted in each window the roster caps."""
    row = rep.row
    used = rep.used
    if row is not None and row.caps:
        used = {cap: _counted(rep.used.get(cap), window(row, cap, now)) for cap in row.caps}
    return replace(rep, load=rep.load + adds, leads=rep.leads + 1, used=used)


def without_lead(rep: RepState, points: int) -> RepState:
    """Return the rep with one lead of `points` fewer. What a cap counted stays counted."""
    return replace(rep, load=rep.load - points, leads=max(rep.leads - 1, 0))


def window(row: RosterRow, cap: str, now: datetime) -> str:
    """Return the running window of a cap in the rep's zone, for example "2026-03-10T14-0500"."""
    return _WINDOWS[cap](now.astimezone(ZoneInfo(row.timezone or "UTC")))


def _counted(used: Used | None, running: str) -> Used:
    return Used(running, used.leads + 1) if used is not None and used.window == running else Used(running, 1)


def _ramp_percent(row: RosterRow, today: date) -> int:
    percent = 100
    for step in row.ramp:
        if step.start <= today:
            percent = step.percent
    return percent
