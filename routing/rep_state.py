"""A rep as a division knows them: the roster row without addresses, the load, the caps used so far."""

from dataclasses import field
from datetime import UTC, date, datetime
from functools import lru_cache

import orjson

from routing.calendar.business_time import Calendar, calendar_of
from schemas.rep import Hours, Rep
from schemas.value import value

POINT = 100  # loads and limits are integers, in hundredths of a point, so that sums are exact


@value
class Leave:
    """Out of office in [start, until)."""

    start: datetime
    until: datetime
    reason: str


@value
class Standby:
    """Who stands in for the rep, and when; None: always."""

    rep: str
    start: datetime | None = None
    until: datetime | None = None


@value
class RampStep:
    """From `start` on, weight and limit are multiplied by `percent`/100."""

    start: date
    percent: int


@value
class RosterRow:
    """What routing asks about a rep. limit: hundredths of a point; weight: hundredths; None: the policy's.

    hours: the calendar as canonical JSON of `schemas.rep.Hours`, None: the pool's. caps: window -> most leads.
    """

    role: str = "rep"
    active: bool = True
    vacant: bool = False
    status: str = "available"
    team: str | None = None
    segment: str | None = None
    region: str | None = None
    states: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    verticals: tuple[str, ...] = ()
    seniority: str = "normal"
    weight: int | None = None
    limit: int | None = None
    caps: dict[str, int] = field(default_factory=dict)
    hours: str | None = None
    timezone: str | None = None
    leaves: tuple[Leave, ...] = ()
    backups: tuple[Standby, ...] = ()
    ramp: tuple[RampStep, ...] = ()
    channels: tuple[str, ...] = ()
    close_permille: int | None = None
    activity_permille: int | None = None
    manager: str | None = None


@value
class Used:
    """How many leads fell into the running window of a cap. window: "2026-03-10T14" in the rep's zone."""

    window: str
    leads: int


@value
class RepState:
    """One rep of one division. load: hundredths of a point. row None: load is known, the roster row is not (yet).

    used: cap name -> use of its running window. moved_to: the division the rep left for.
    """

    id: str
    row: RosterRow | None = None
    load: int = 0
    leads: int = 0
    used: dict[str, Used] = field(default_factory=dict)
    moved_to: str | None = None
    changed_at: datetime | None = None


@value
class Opportunity:
    """An open opportunity that is no lead of ours; it counts towards its rep's load."""

    rep: str
    stage: str
    points: int
    at: datetime


def rep_key(division: str, rep: str) -> str:
    """Return the store key of a rep."""
    return f"rep/{division}/{rep}"


def row_of(rep: Rep) -> RosterRow:
    """Return the part of a roster entry that routing keeps. Addresses stay out of it."""
    hours = None if rep.hours is None else orjson.dumps(rep.hours.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    caps = {name: cap for name, cap in rep.caps.model_dump().items() if cap is not None}
    return RosterRow(
        role=rep.role,
        active=rep.active,
        vacant=rep.vacant,
        status=rep.status,
        team=rep.team,
        segment=rep.segment,
        region=rep.region,
        states=rep.states,
        countries=rep.countries,
        skills=rep.skills,
        languages=rep.languages,
        verticals=rep.verticals,
        seniority=rep.seniority,
        weight=None if rep.weight is None else round(rep.weight * 100),
        limit=None if rep.limit is None else round(rep.limit * POINT),
        caps=caps,
        hours=None if hours is None else hours.decode(),
        timezone=None if rep.hours is None else rep.hours.timezone,
        leaves=tuple(Leave(_utc(a.start), _utc(a.until), a.reason) for a in rep.absences),
        backups=tuple(Standby(b.rep, _utc_or_none(b.start), _utc_or_none(b.until)) for b in rep.backups),
        ramp=tuple(sorted((RampStep(r.start, round(r.share * 100)) for r in rep.ramp), key=lambda step: step.start)),
        channels=rep.channels,
        close_permille=None if rep.close_rate is None else round(rep.close_rate * 1000),
        activity_permille=None if rep.activity_rate is None else round(rep.activity_rate * 1000),
        manager=rep.manager,
    )


@lru_cache(maxsize=4096)
def calendar_from(hours: str) -> Calendar:
    """Return the calendar of `RosterRow.hours`."""
    return calendar_of(Hours.model_validate_json(hours))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _utc_or_none(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
