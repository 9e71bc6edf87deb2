"""What somebody did before their lead came (EDG-6): kept for a day, and passed on once the lead is there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.activity import ActivityBound
from schemas.effects import CancelWake, Effect, Emit, Put, Wake
from schemas.ids import division_of
from streams.stages.person import ENDS, Person, ended_by, lead_of

EARLY_FOR = timedelta(days=1)  # how long an activity waits for the first lead of its person


def until_forgotten(person_id: str, early: Sequence[str]) -> Wake:
    """Wake when the first of them has waited for a day."""
    return Wake(f"early/{person_id}", min(forget_at(text) for text in early), "leads.enriched", person_id)


def forget_at(text: str) -> datetime:
    """Return when an activity that is kept as JSON has waited for its day."""
    return ActivityBound.model_validate_json(text).learned_at + EARLY_FOR


def bound(activity: ActivityBound, lead: str, tag: str = "") -> Emit:
    """Return the activity for the division of its lead (an id)."""
    division = division_of(lead)
    value = activity.model_copy(update={"lead_id": lead, "division": division})
    return Emit("leads.scored", division, "activity.bound", value, tag=tag)


def caught_up(key: str, person: Person, early: Sequence[str]) -> Sequence[Effect]:
    """Pass on what was done before the lead came, and remember what it did to the lead."""
    effects: list[Effect] = []
    for place, text in enumerate(early):
        activity = ActivityBound.model_validate_json(text)
        lead = lead_of(person, activity)
        if lead is None:
            break  # what came before has ended it
        effects.append(bound(activity, lead.lead_id, f"early/{place}"))
        if activity.kind in ENDS:
            person = ended_by(person, lead, activity)
    return (*effects, Put(key, replace(person, early=())), CancelWake(f"early/{key.removeprefix('person/')}"))
