"""TRACK binds what was reported to whom it concerns: activity to persons, rep changes and deliveries to divisions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from schemas.activity import ActivityBound, ActivityKind, ActivityReported
from schemas.decision import Audience
from schemas.delivery import DeliverySettled, NoticeSettled, Outcome, Settlement
from schemas.effects import DeadLetter, Delete, Effect, Emit, Put, Wake
from schemas.ids import is_division
from schemas.poison import Poison
from schemas.rep import Rep, RepChanged
from schemas.state import StateView
from schemas.timer import WakeUp
from schemas.value import value
from streams.stage import Context, Event, Handled, Kind, asks_nobody
from streams.stages.rows import Tables

FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 3_600.0
GIVE_UP_AFTER = timedelta(days=2)  # a foreign id that no lead has claimed by then is a mistake upstream
SKEW_TOLERATED = timedelta(seconds=60)


@value
class Roster:
    """What a division was last told of a rep. division: where the rep is."""

    division: str


def decode_roster(data: bytes) -> Roster:
    """Return the roster entry of stored JSON."""
    return Roster(**orjson.loads(data))


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why an activity cannot be bound yet. reason: plain words, no personal data."""

    reason: str


class Track:
    """The stage. It asks nobody, so that it is never behind.

    The store holds what each division was told of a rep. person_of_email: address as written -> person id, None where
    it is no address.
    """

    name = "track"
    inputs: tuple[str, ...] = ("leads.activity", "reps", "leads.notified")
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("xref", "reps")
    kinds: Mapping[str, Kind] = {"rep": Kind(decode_roster)}
    prepare = asks_nobody

    def __init__(self, tables: Tables, person_of_email: Callable[[str], str | None]) -> None:
        self._tables = tables
        self._person_of_email = person_of_email

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        """Return nothing: TRACK keeps no journal."""
        return ()

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        """Return the bound activity, the rep change for its division, or what became of a decision's notices."""
        value = event.value
        if event.topic == "reps":
            return _rep_changed(state, event.key, value, event.recorded_at)
        if isinstance(value, ActivityReported):
            if value.lead_id is not None:
                return (_to_person(_canonical(value, event.recorded_at, _person_in(value.lead_id))),)
            return self._bind(_canonical(value, event.recorded_at), value.foreign_id, self._person(value), event, now)
        if isinstance(value, NoticeSettled):
            return _notice_settled(value)
        if isinstance(value, WakeUp):
            return self._again(value, event, now)
        raise Poison(f"TRACK does not know {event.type}")

    def _again(self, wake: WakeUp, event: Event, now: datetime) -> Sequence[Effect]:
        try:
            activity = ActivityBound.model_validate(wake.data["activity"], strict=False)
            tries = int(wake.data["tries"])
        except (KeyError, TypeError, ValueError) as error:
            raise Poison("a wake-up for TRACK carries its activity") from error
        return self._bind(activity, wake.data.get("foreign_id"), activity.person, event, now, tries)

    def _person(self, report: ActivityReported) -> str | None:
        return self._person_of_email(report.email) if report.email else None

    def _bind(
        self,
        activity: ActivityBound,
        foreign_id: str | None,
        person: str | None,
        event: Event,
        now: datetime,
        tries: int = 0,
    ) -> Sequence[Effect]:
        """Bind by lead id, else by foreign id, else by mail address, else by rep; wait for what is not known yet."""
        if activity.lead_id is None and foreign_id is not None:
            row = self._tables.get("xref", foreign_id)
            if row is not None:
                activity = activity.model_copy(update={"lead_id": row.lead_id})
        if activity.lead_id is not None:
            person = _person_in(activity.lead_id)
        if person is not None:
            return (_to_person(activity.model_copy(update={"person": person})),)
        if foreign_id is not None:
            unresolved = Unresolved("its foreign id belongs to no lead that leadstream knows")
        elif activity.kind is ActivityKind.OPPORTUNITY_CHANGED or activity.opportunity_id is not None:
            bound = self._to_rep(activity)
            if isinstance(bound, Emit):
                return (bound,)
            unresolved = bound
        else:
            raise Poison("it names no lead: lead_id, foreign_id, email or opportunity_id with rep is needed")
        return _wait(activity, foreign_id, unresolved, event, now, tries)

    def _to_rep(self, activity: ActivityBound) -> Emit | Unresolved:
        if activity.rep is None:
            raise Poison("an opportunity without a lead names its rep")
        rep = self._tables.get("reps", activity.rep)
        if rep is None:
            return Unresolved("its rep is not on the roster")
        bound = activity.model_copy(update={"division": rep.division})
        return Emit("leads.scored", rep.division, "activity.bound", bound)


def _canonical(report: ActivityReported, recorded_at: datetime, person: str | None = None) -> ActivityBound:
    """What was reported, with one clock: nothing happens after it was learned; a report from the future is flagged."""
    at = report.at or recorded_at
    flags: tuple[str, ...] = ()
    if at > recorded_at:
        flags = ("at.future",) if at - recorded_at > SKEW_TOLERATED else ()
        at = recorded_at
    return ActivityBound(
        kind=report.kind,
        at=at,
        learned_at=recorded_at,
        lead_id=report.lead_id,
        person=person,
        opportunity_id=report.opportunity_id,
        rep=report.rep,
        stage=report.stage,
        to=report.to,
        reason=report.reason,
        by=report.by,
        value=report.value,
        activity_id=report.id,
        flags=flags,
    )


def _person_in(lead: str) -> str:
    parts = lead.split(".")
    if len(parts) != 3 or not is_division(parts[0]) or not parts[1] or not parts[2].isdigit():
        raise Poison("lead_id is no id of ours: division.person.number")
    return parts[1]


def _to_person(activity: ActivityBound) -> Emit:
    return Emit("leads.enriched", str(activity.person), "activity.bound", activity)


def _wait(
    activity: ActivityBound, foreign_id: str | None, why: Unresolved, event: Event, now: datetime, tries: int
) -> Sequence[Effect]:
    """Ask again after 2, 4, 8 … 3,600 s; two days after it was learned the record is set aside."""
    if now - activity.learned_at >= GIVE_UP_AFTER:
        return (DeadLetter("Unresolved", f"{why.reason}, {GIVE_UP_AFTER.days} days after it came"),)
    seconds = min(FIRST_WAIT_SECONDS * 2 ** min(tries, 20), LONGEST_WAIT_SECONDS)
    key = f"activity/{event.id}" if tries == 0 else event.value.waker
    data: dict[str, Any] = {
        "activity": activity.model_dump(mode="json", exclude_none=True),
        "tries": tries + 1,
        "reason": why.reason,
    }
    if foreign_id is not None:
        data["foreign_id"] = foreign_id
    return (Wake(key, now + timedelta(seconds=seconds), "leads.activity", key, data),)


def _rep_changed(state: StateView, rep_id: str, rep: Rep | None, at: datetime) -> Sequence[Effect]:
    key = f"rep/{rep_id}"
    before: Roster | None = state.get(key)
    effects: list[Effect] = []
    if before is not None and (rep is None or rep.division != before.division):
        moved_to = rep.division if rep else None
        left = RepChanged(rep_id=rep_id, division=before.division, moved_to=moved_to, at=at)
        effects.append(Emit("leads.scored", before.division, "rep.changed", left, tag="left"))
    if rep is None:
        return (*effects, Delete(key)) if before is not None else ()
    joined = RepChanged(rep_id=rep_id, division=rep.division, rep=rep, at=at)
    effects.append(Emit("leads.scored", rep.division, "rep.changed", joined))
    if before is None or before.division != rep.division:
        effects.append(Put(key, Roster(rep.division)))
    return effects


def _notice_settled(notice: NoticeSettled) -> Sequence[Effect]:
    """Tell the division of the first delivery to the owner, of failure everywhere, of the CRM's receipt."""
    if notice.all_failed:
        return (_settled(notice, Settlement.ALL_FAILED),)
    if notice.outcome is not Outcome.DELIVERED:
        return ()
    effects = [_settled(notice, Settlement.FIRST_DELIVERED)] if notice.is_first else []
    if notice.audience == Audience.CRM:
        effects.append(_settled(notice, Settlement.CRM_ACKNOWLEDGED))
    return effects


def _settled(notice: NoticeSettled, settlement: Settlement) -> Emit:
    value = DeliverySettled(
        lead_id=notice.lead_id,
        division=notice.division,
        decision_id=notice.decision_id,
        epoch=notice.epoch,
        settlement=settlement,
        at=notice.at,
    )
    return Emit("leads.scored", notice.division, "delivery.settled", value, tag=settlement.value)
