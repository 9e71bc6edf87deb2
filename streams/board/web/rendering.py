"""Templates and how values read: plain words, in the viewer's zone."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

ENVIRONMENT = Environment(
    loader=PackageLoader("streams.board"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Compiled templates; holds no state of a request."""

NONE = "\u2013"
STATES = {
    "assigned": "with a rep",
    "queued": "in a queue",
    "held": "waiting for room",
    "nurtured": "nurtured",
    "quarantined": "in quarantine",
    "closed": "closed",
}
STEPS = {
    "remind_owner": "reminder to the owner",
    "alert_manager": "alert to the manager",
    "reassign": "moves to somebody else",
    "move": "moves to the manager",
    "alert_leadership": "alert to leadership",
}
CAUSES = {
    "not_contacted": "nobody made contact in time",
    "no_capacity": "nobody had room",
    "notification_failed": "the owner was not told",
    "unclaimed": "nobody claimed it",
    "leadstream_late": "it was routed too late",
    "crm_late": "the CRM was too slow",
}


ROLES = {"ae": "account executive", "sdr": "sales development", "csm": "customer success"}
RECORDS = {
    "leads.raw": "a lead, as it came in",
    "leads.pending": "a lead that waits for a provider",
    "leads.enriched": "a lead, completed",
    "leads.scored": "a lead, scored",
    "leads.assigned": "a decision",
    "leads.activity": "an activity",
    "reps": "an entry of the roster",
    "accounts": "an account",
    "policies": "a policy",
}
NOTICES = {
    "assignment": "is yours",
    "repeat": "came back, and is yours",
    "reassigned_to": "is yours now",
    "reassigned_from": "went to somebody else",
    "reminder": "waits for you",
    "alert": "was not contacted in time",
    "held": "waits for room in your pool",
    "queued": "waits in your queue",
}


def zone_of(name: str | None) -> ZoneInfo:
    """Return the zone of that name, UTC where there is none."""
    if name and len(name) < 64:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo("UTC")
    return ZoneInfo("UTC")


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the viewer's day began, UTC."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def render(template: str, zone: ZoneInfo, now: datetime, **values: Any) -> str:
    """Return a template as HTML. Times in it are shown in `zone`."""
    return ENVIRONMENT.get_template(template).render(**values, **_words(zone, now))


def _words(zone: ZoneInfo, now: datetime) -> Mapping[str, Any]:
    def at(instant: datetime | None, clock: str = "%H:%M") -> Markup | str:
        if instant is None:
            return NONE
        local = instant.astimezone(zone)
        same_day = local.date() == now.astimezone(zone).date()
        text = f"{local:{clock}}" if same_day else f"{local.day} {local:%b}, {local:{clock}}"
        full = f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S %Z}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(instant.isoformat(), full, text)

    def left(due: datetime | None) -> Markup | str:
        """A countdown; board.js keeps it going."""
        if due is None:
            return NONE
        seconds = (due - now).total_seconds()
        kind = "late" if seconds < 0 else "soon" if seconds < 300 else "calm"
        return Markup('<span class="left {}" data-due="{}">{}</span>').format(kind, due.isoformat(), countdown(seconds))

    return {
        "at": at,
        "exactly": lambda instant: at(instant, "%H:%M:%S"),
        "left": left,
        "now": now,
        "zone": zone.key,
        "signed": signed,
        "span": span,
        "percent": percent,
        "state": lambda name: STATES.get(name, name),
        "step": lambda name: STEPS.get(name, (name or "").replace("_", " ")),
        "cause": lambda name: CAUSES.get(name, (name or "").replace("_", " ")),
        "notice": lambda name: NOTICES.get(name, name.replace("_", " ").replace(".", " ")),
        "role": lambda name: ROLES.get(name, name.replace("_", " ")),
        "record": lambda topic: RECORDS.get(topic, topic),
        "plain": lambda name: (name or "").replace("_", " "),
    }


def countdown(seconds: float) -> str:
    """Return "4:09 left", "2:14:05 left", "3 days left", or the same "late"."""
    word = "left" if seconds >= 0 else "late"
    whole = int(abs(seconds))
    if whole >= 48 * 3600:
        return f"{whole // 86400} days {word}"
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02} {word}" if hours else f"{minutes}:{rest:02} {word}"


def signed(value: float) -> str:
    """Return "+0.4", "0.0" or, with a real minus sign, "\u22120.4"."""
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "\u2212")


def span(seconds: float | timedelta | None) -> str:
    """Return a length of time in words: "0.4 s", "12 s", "4 min 5 s", "2 h 10 min", "3 days"."""
    if seconds is None:
        return NONE
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 and whole % 60 else f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole // 60 % 60} min"
    return f"{whole // 86400} days"


def percent(share: float | None) -> str:
    """Return 0.834 as "83%", None as a dash. Never 100% where something is missing."""
    if share is None:
        return NONE
    return f"{min(99, round(share * 100)) if share < 1 else 100}%"
