"""The roster: one person who can be given leads, told about them, or both."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.hours import HolidayCode, Shift, Zone
from schemas.model import Typed, Written

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _rep_id(rep_id: str) -> str:
    """Refuse what would not be found again: "/" parts keys, the rest is not seen by whoever writes the id."""
    wrong = (
        "a slash"
        if "/" in rep_id
        else "a character that is not printed"
        if not rep_id.isprintable()
        else "a space at an end"
        if rep_id != rep_id.strip()
        else None
    )
    if wrong is not None:
        allowed = "Write an id such as r-ada, or the CRM's: letters, digits and . _ - @ :"
        raise PydanticCustomError(
            "rep.id", "the id {id} has {wrong}", {"id": repr(rep_id), "wrong": wrong, "allowed": allowed}
        )
    return rep_id


RepId = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_rep_id)]


class Hours(Typed):
    """A working calendar. week: weekday -> (start, end) pairs as "HH:MM" local time, end "24:00" allowed.

    holidays: "US", "US-TX", "DE-BY": country and subdivision of the public holidays that apply.
    """

    timezone: Zone
    week: dict[Weekday, tuple[Shift, ...]] = Field(default_factory=dict)
    holidays: tuple[HolidayCode, ...] = ()
    closed_on: tuple[date, ...] = ()


class Absence(Typed):
    """Out of office. until is exclusive. reason: leave, sick, training, …

    source: who says so: the roster, or the person's calendar, whose next reading replaces it.
    """

    start: AwareDatetime
    until: AwareDatetime
    reason: str = "leave"
    source: Literal["roster", "calendar"] = "roster"

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.until <= self.start:
            says = "the absence ends at {until}, not after it starts"
            raise PydanticCustomError(
                "absence.order", says, {"until": self.until.isoformat(), "allowed": "Swap start and until."}
            )
        return self


class CalendarReading(Typed):
    """When a person's calendar was last read, and until when its events were taken over.

    stale_since: the first reading that failed since; what was known before stands (EDG-5).
    """

    read_at: AwareDatetime
    until: AwareDatetime
    stale_since: AwareDatetime | None = None


class Backup(Typed):
    """Who stands in, and when (None: always)."""

    rep: str
    start: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Ramp(Typed):
    """From this date on the rep's weight and limit are multiplied by `share` (0 to 1)."""

    start: date
    share: float = Field(ge=0, le=1)


class Caps(Typed):
    """Most leads per running clock hour, day, ISO week and calendar month, in the rep's zone. None: no cap."""

    hour: int | None = Field(default=None, ge=0)
    day: int | None = Field(default=None, ge=0)
    week: int | None = Field(default=None, ge=0)
    month: int | None = Field(default=None, ge=0)


class Rep(Typed):
    """One person. id is opaque and stable. limit: points of load; weight None: by seniority, from the policy.

    close_rate: share of their leads won; activity_rate: share contacted in time. Both are for pools by performance.

    manager: rep id of who is told when the rep is late. Inactive reps get nothing and leave their open leads.
    address fields are the rep's own (mail, slack user id, phone); they are used by NOTIFY alone. push is read so that
    entries of 0.1 are still understood, and means nothing: browsers are in `devices`.
    """

    id: RepId
    division: str = "main"
    name: str
    active: bool = True
    deactivated_at: AwareDatetime | None = None
    vacant: bool = False
    status: Literal["available", "busy", "sick", "away"] = "available"
    role: str = "rep"
    team: str | None = None
    segment: str | None = None
    region: str | None = None
    states: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    verticals: tuple[str, ...] = ()
    seniority: Literal["senior", "normal", "new"] = "normal"
    weight: float | None = Field(default=None, ge=0)
    limit: float | None = Field(default=None, ge=0)
    caps: Caps = Caps()
    hours: Hours | None = None
    absences: tuple[Absence, ...] = ()
    calendar: CalendarReading | None = None
    backups: tuple[Backup, ...] = ()
    ramp: tuple[Ramp, ...] = ()
    joined_on: date | None = None
    close_rate: float | None = Field(default=None, ge=0, le=1)
    activity_rate: float | None = Field(default=None, ge=0, le=1)
    manager: str | None = None
    email: str | None = None
    phone: str | None = None
    slack: str | None = None
    push: str | None = None
    channels: tuple[str, ...] = ()
    booking_url: str | None = None
    signature: str | None = None
    crm_id: str | None = None


class RepChanged(Written):
    """On leads.scored: a roster change as it takes effect in a division. rep None: removed from the roster.

    moved_to: the rep left for another division (told to both).
    """

    rep_id: str
    division: str
    rep: Rep | None = None
    moved_to: str | None = None
    at: AwareDatetime
