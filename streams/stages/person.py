"""What SCORE remembers of a person: the open lead, how the last one ended, what was seen. No contact data."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from schemas.activity import ActivityBound, ActivityKind
from schemas.value import value

SEEN_SUBMISSIONS = 16  # a person's last submissions, by id: repeats of these are recognised
SEEN_ACTIVITIES = 32
TOUCHES_KEPT = 8
EARLY_KEPT = 8

PASSING = frozenset({ActivityKind.ENGAGED, ActivityKind.VIEWED, ActivityKind.EDITED})
"""Activities that mean nothing without a lead. All others are kept for a lead that is still under way."""

ENDS: Mapping[ActivityKind, str] = {
    ActivityKind.DISQUALIFIED: "disqualified",
    ActivityKind.WON: "won",
    ActivityKind.LOST: "lost",
    ActivityKind.MERGED: "merged",
    ActivityKind.DELETED: "deleted",
    ActivityKind.BLOCKED: "blocked",
    ActivityKind.ERASED: "erased",
}
"""Activities that close the person's lead, and how that end is called."""


@value
class OpenLead:
    """A lead that has not ended. tier: the most urgent one so far. touched_at: the last touches, oldest first."""

    lead_id: str
    division: str
    tier: str
    opened_at: datetime
    touches: int = 1
    action: str | None = None
    touched_at: tuple[datetime, ...] = ()


@value
class Ended:
    """How the person's last lead ended. rep: who ended it. kind: a value of `ENDS`."""

    lead_id: str
    kind: str
    at: datetime
    rep: str | None = None
    reason: str | None = None


@value
class Person:
    """ordinal: leads minted for this person, test leads included. history: real leads that have ended.

    test: the open test lead, kept apart so that a test never joins or hides a real lead. home: the person id under
    which this human's leads are kept, when another one. seen, acted: short marks of event ids, oldest first.
    """

    ordinal: int = 0
    open: OpenLead | None = None
    test: OpenLead | None = None
    ended: Ended | None = None
    history: int = 0
    home: str | None = None
    seen: tuple[str, ...] = ()
    acted: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


UNKNOWN = Person()


def mark_of(event_id: str) -> str:
    """Return 16 hex digits that stand for an event id in `seen` and `acted`."""
    return hashlib.blake2b(event_id.encode(), digest_size=8).hexdigest()


def ended_by(person: Person, lead: OpenLead, activity: ActivityBound) -> Person:
    """Return the person after `activity` (of a kind in `ENDS`) closed `lead`, which is its open or its test lead."""
    if person.test is lead:
        return replace(person, test=None)
    end = Ended(lead.lead_id, ENDS[activity.kind], activity.at, activity.rep, activity.reason)
    return replace(person, open=None, ended=end, history=person.history + 1)


def decode_person(data: bytes) -> Person:
    """Return the person of stored JSON. Fields that this build does not know are refused by the constructor."""
    fields = orjson.loads(data)
    for name in ("open", "test"):
        if fields[name] is not None:
            fields[name] = _open_lead(fields[name])
    if fields["ended"] is not None:
        fields["ended"]["at"] = datetime.fromisoformat(fields["ended"]["at"])
        fields["ended"] = Ended(**fields["ended"])
    fields["seen"] = tuple(fields["seen"])
    fields["acted"] = tuple(fields["acted"])
    fields["early"] = tuple(fields["early"])
    return Person(**fields)


def _open_lead(fields: dict[str, Any]) -> OpenLead:
    fields["opened_at"] = datetime.fromisoformat(fields["opened_at"])
    fields["touched_at"] = tuple(map(datetime.fromisoformat, fields["touched_at"]))
    return OpenLead(**fields)


def lead_of(person: Person, activity: ActivityBound) -> OpenLead | None:
    """Return the open lead of a person that an activity is about: the one it names, else the one there is."""
    if activity.lead_id is None:
        return person.open
    for lead in (person.open, person.test):
        if lead is not None and lead.lead_id == activity.lead_id:
            return lead
    return None
