"""SCORE knows people: identity, duplicates, division, tier and score, and passes activity on to its division."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from routing.gradebook import Gradebook
from routing.policy import Policy
from schemas.activity import ActivityBound
from schemas.effects import Delete, Effect, Emit, Put
from schemas.ids import lead_id
from schemas.lead import Disqualified, Lead, LeadEnriched, LeadScored, OpenDuplicate
from schemas.poison import Poison
from schemas.scored_json import scored_json
from schemas.state import StateView
from schemas.timer import WakeUp
from streams.stage import Context, Event, Handled, Kind, asks_nobody
from streams.stages.active_policy import COMPILED_KEPT, ActivePolicies, Missing
from streams.stages.early import bound, caught_up, forget_at, until_forgotten
from streams.stages.home import moved_on
from streams.stages.person import (
    EARLY_KEPT,
    ENDS,
    PASSING,
    SEEN_ACTIVITIES,
    SEEN_SUBMISSIONS,
    TOUCHES_KEPT,
    UNKNOWN,
    Ended,
    OpenLead,
    Person,
    decode_person,
    ended_by,
    lead_of,
    mark_of,
)
from streams.stages.rows import Tables
from streams.stages.waiting import decode_waiting, still_waits, wait


class Score:
    """The stage. One state read and one state write a lead.

    divide: lead -> division by the org file, for leads that no rep is bound to. count: called with what was set
    aside without an effect, one of `DROPPED`.
    """

    name = "score"
    inputs: tuple[str, ...] = ("leads.enriched",)
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("policies", "reps")
    kinds: Mapping[str, Kind] = {"person": Kind(decode_person), "waiting": Kind(decode_waiting)}
    prepare = asks_nobody

    def __init__(self, tables: Tables, divide: Callable[[Lead], str], count: Callable[[str], None]) -> None:
        self._tables = tables
        self._divide = divide
        self._count = count
        self._policies = ActivePolicies(tables)
        self._books: dict[str, Gradebook] = {}  # by hash of the policy

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        """Return nothing: SCORE keeps no journal."""
        return ()

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        """Return the scored lead or the passed-on activity, with what is now known of the person."""
        value = event.value
        if type(value) is LeadEnriched:
            return self._submitted(state, value, event.data, now, tries=0)
        if type(value) is ActivityBound:
            return self._acted(state, event, value)
        if type(value) is WakeUp:
            return self._woken(state, value, now)
        raise Poison(f"SCORE does not know {event.type}")

    def _woken(self, state: StateView, wake: WakeUp, now: datetime) -> Sequence[Effect]:
        key = wake.waker
        if key.startswith("early/"):
            return self._forgotten(state, key.removeprefix("early/"), max(now, wake.due_at))
        waiting = state.get(key) if key.startswith("waiting/") else None
        if waiting is None:  # scored since: a stale wake-up
            self._count("stale_wake_up")
            return ()
        enriched = LeadEnriched.model_validate_json(waiting.body)
        effects = self._submitted(state, enriched, None, now, waiting.tries + 1)
        return effects if still_waits(effects) else (*effects, Delete(key))

    def _submitted(
        self, state: StateView, enriched: LeadEnriched, data: bytes | None, now: datetime, tries: int
    ) -> Sequence[Effect]:
        """data: the bytes of `enriched`, where they are at hand."""
        lead = enriched.lead
        key = f"person/{lead.person}"
        person: Person = state.get(key) or UNKNOWN
        if enriched.is_late:
            return self._late(person, enriched, now)
        mark = mark_of(lead.event_id)
        if mark in person.seen:
            self._count("repeated_submission")
            return ()
        current = person.test if lead.is_test else person.open
        division = current.division if current else self._division(lead)
        policy = self._policies.of(division)
        looks_after = isinstance(policy, Missing) or policy.file.dedupe.after_enrichment  # OPT-4
        if current is None and looks_after and (enriched.alternates or person.home is not None):
            elsewhere = moved_on(key, person, enriched, mark)
            if elsewhere:
                return elsewhere
        if isinstance(policy, Missing):
            return wait(enriched, now, tries, policy.reason)
        scored = _scored(person, current, division, self._book(policy), enriched, now)
        encoded = scored_json(scored, data) if data is not None and scored.lead is lead else None
        emit = Emit("leads.scored", division, "lead.scored", scored, encoded=encoded)
        touched = _touched(person, current, scored, policy, mark)
        if person.early and not lead.is_test:
            return (emit, *caught_up(key, touched, person.early))
        return (emit, Put(key, touched))

    def _late(self, person: Person, enriched: LeadEnriched, now: datetime) -> Sequence[Effect]:
        """A provider's late answer updates the lead it was asked for, while that is open, and opens none."""
        lead = enriched.lead
        current = person.test if lead.is_test else person.open
        if current is None and person.home is not None:
            moved = lead.model_copy(update={"person": person.home})
            onward = enriched.model_copy(update={"lead": moved})
            return (Emit("leads.enriched", person.home, "lead.enriched", onward, tag="home"),)
        policy = self._policies.of(current.division) if current else Missing("no open lead")
        if current is None or isinstance(policy, Missing):
            self._count("late_answer")
            return ()
        scored = _scored(person, current, current.division, self._book(policy), enriched, now)
        return (Emit("leads.scored", current.division, "lead.scored", scored),)

    def _book(self, policy: Policy) -> Gradebook:
        book = self._books.get(policy.hash)
        if book is None:
            if len(self._books) >= COMPILED_KEPT:
                self._books.clear()
            book = self._books[policy.hash] = Gradebook(policy)
        return book

    def _division(self, lead: Lead) -> str:
        """The division of the rep whom the account binds the lead to, else what the org file says."""
        account = lead.account
        if account is not None:
            for rep_id in (account.owner, account.opportunity_owner):
                rep = self._tables.get("reps", rep_id) if rep_id else None
                if rep is not None:
                    return str(rep.division)
        return self._divide(lead)

    def _acted(self, state: StateView, event: Event, activity: ActivityBound) -> Sequence[Effect]:
        if activity.person is None:
            raise Poison("an activity on leads.enriched names its person")
        key = f"person/{activity.person}"
        person: Person = state.get(key) or UNKNOWN
        mark = mark_of(activity.activity_id or event.id)
        if mark in person.acted:
            self._count("repeated_activity")
            return ()
        lead = lead_of(person, activity)
        acted = replace(person, acted=(*person.acted[-SEEN_ACTIVITIES + 1 :], mark))
        about = activity.lead_id or (lead.lead_id if lead else None)
        if about is None:
            return self._homeless(key, acted, activity)
        if lead is not None and activity.kind in ENDS:
            acted = ended_by(acted, lead, activity)
        return (bound(activity, about), Put(key, acted))

    def _homeless(self, key: str, person: Person, activity: ActivityBound) -> Sequence[Effect]:
        """An activity of someone without an open lead here.

        Their leads may be kept under another person id, or be still under way (EDG-6): then it is kept for a day.
        """
        if person.home is None and person.ended is None and activity.kind not in PASSING:
            early = (*person.early[-EARLY_KEPT + 1 :], activity.model_dump_json(exclude_none=True))
            return (Put(key, replace(person, early=early)), until_forgotten(str(activity.person), early))
        if person.home is None:
            self._count("activity_without_lead")
            return ()
        onward = activity.model_copy(update={"person": person.home})
        return (Emit("leads.enriched", person.home, "activity.bound", onward, tag="home"),)

    def _forgotten(self, state: StateView, person_id: str, now: datetime) -> Sequence[Effect]:
        """No lead came for what was done early: it concerns nobody that leadstream knows. What has waited for less
        than a day stays: the fire may have crossed a newer arming."""
        key = f"person/{person_id}"
        person: Person | None = state.get(key)
        if person is None or not person.early:
            return ()
        kept = tuple(text for text in person.early if forget_at(text) > now)
        for _ in range(len(person.early) - len(kept)):
            self._count("activity_without_lead")
        if kept:
            return (Put(key, replace(person, early=kept)), until_forgotten(person_id, kept))
        return (Delete(key),) if person.ordinal == 0 else (Put(key, replace(person, early=())),)


BLOCKED_BEFORE = "person.blocked"  # in `Lead.suspect`: somebody blocked this person's last lead (CAP-4)

DROPPED = ("repeated_submission", "repeated_activity", "stale_wake_up", "late_answer", "activity_without_lead")
"""Why SCORE may set an event aside: labels of a counter."""


def _scored(
    person: Person, current: OpenLead | None, division: str, book: Gradebook, enriched: LeadEnriched, now: datetime
) -> LeadScored:
    lead = enriched.lead
    if person.ended is not None and person.ended.kind == "blocked":  # kept out before: for review, not for a rep
        lead = lead.model_copy(update={"suspect": tuple(dict.fromkeys((*lead.suspect, BLOCKED_BEFORE)))})
    graded, scored = book.judged(lead)
    touches = current.touches if current else 0
    return LeadScored(
        lead_id=current.lead_id if current else lead_id(division, lead.person, person.ordinal + 1),
        division=division,
        lead=lead,
        contact=enriched.contact,
        touch=touches if enriched.is_late else touches + 1,
        intent=graded.intent,
        icp=graded.icp,
        segment=graded.segment,
        tier=graded.tier,
        score=scored.total,
        score_parts=scored.parts,
        score_model=scored.model,
        policy_hash=book.policy.hash,
        scored_at=now,
        duplicate=_duplicate(current) if current and not enriched.is_late else None,
        disqualified=_disqualified(person.ended),
        history=person.history,
        is_late=enriched.is_late,
    )


def _duplicate(current: OpenLead) -> OpenDuplicate:
    return OpenDuplicate(lead_id=current.lead_id, tier=current.tier, opened_at=current.opened_at)


def _disqualified(ended: Ended | None) -> Disqualified | None:
    if ended is None or ended.kind != "disqualified":
        return None
    return Disqualified(lead_id=ended.lead_id, rep=ended.rep, at=ended.at, reason=ended.reason)


def _touched(person: Person, current: OpenLead | None, scored: LeadScored, policy: Policy, mark: str) -> Person:
    lead = scored.lead
    at = lead.submitted_at
    if current is None:
        new = OpenLead(scored.lead_id, scored.division, scored.tier, at, 1, lead.action, (at,))
    else:
        touched_at = (*current.touched_at[-TOUCHES_KEPT + 1 :], at)
        tier = _more_urgent(policy, current.tier, scored.tier)
        new = replace(current, tier=tier, touches=scored.touch, touched_at=touched_at)
    return Person(
        ordinal=person.ordinal + (current is None),
        open=person.open if lead.is_test else new,
        test=new if lead.is_test else person.test,
        ended=person.ended,
        history=person.history,
        home=person.home,
        seen=(*person.seen[-SEEN_SUBMISSIONS + 1 :], mark),
        acted=person.acted,
        early=person.early,
    )


def _more_urgent(policy: Policy, one: str, other: str) -> str:
    """Return the tier that comes first in the policy; one that it does not have comes last."""
    order = [tier.name for tier in policy.tiers]
    return min(one, other, key=lambda name: order.index(name) if name in order else len(order))
