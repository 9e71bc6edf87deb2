"""SCORE as a function: identity, duplicates, division, waiting, and what activity does to a person."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from schemas.activity import ActivityKind
from schemas.effects import Delete, Effect, Emit, Put, Wake
from schemas.lead import LeadEnriched, LeadScored
from schemas.poison import Poison
from schemas.timer import WakeUp
from schemas.wire import encode
from streams.stages.score import DROPPED, Score
from tests.unit.streams.people import AT, Entries, TableRows, account, activity, emitted, enriched, event
from tests.worked.world import DEFAULT


@dataclass(slots=True)
class Bench:
    """A Score with its tables, store and counts."""

    tables: TableRows = field(default_factory=TableRows)
    dropped: Counter[str] = field(default_factory=Counter)
    score: Score = field(init=False)
    store: Entries = field(init=False)

    def __post_init__(self) -> None:
        self.tables.activate("main")
        self.score = Score(self.tables, lambda lead: "main", lambda reason: self.dropped.update([reason]))
        self.store = Entries(dict(Score.kinds))

    def take(self, value: Any, event_id: str = "") -> Sequence[Effect]:
        name = event_id or getattr(getattr(value, "lead", None), "event_id", "a1")
        return self.store.take(self.score.handle(self.store, event(value, name), {}, AT))

    def scored(self, value: LeadEnriched) -> LeadScored:
        (emit,) = emitted(self.take(value))
        assert isinstance(emit.value, LeadScored)
        assert emit.key == emit.value.division
        return emit.value


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_first_submission_is_a_lead_graded_by_the_active_policy(bench: Bench) -> None:
    scored = bench.scored(enriched("s1"))
    assert (scored.lead_id, scored.touch, scored.tier, scored.segment) == ("main.p1.1", 1, "T1", "mid_market")
    assert scored.icp and scored.intent == "high" and 0 < scored.score <= 100
    assert sum(scored.score_parts.values()) == scored.score
    assert scored.duplicate is None and scored.history == 0
    assert scored.policy_hash == bench.tables.get("policies", "active/main").hash


def test_lead_and_contact_are_passed_on_as_they_came(bench: Bench) -> None:
    value = enriched("s1")
    as_it_came = (encode(value) or b"").split(b',"enriched_at"')[0]
    (emit,) = emitted(bench.take(value))
    assert emit.encoded is not None and emit.encoded.startswith(as_it_came)


def test_two_submissions_of_a_person_are_one_lead_with_two_touches(bench: Bench) -> None:
    first = bench.scored(enriched("s1", action="webinar"))
    second = bench.scored(enriched("s2"))
    assert second.lead_id == first.lead_id
    assert (first.touch, second.touch) == (1, 2)
    assert second.duplicate is not None and second.duplicate.tier == first.tier == "T2"
    third = bench.scored(enriched("s3", action="webinar"))
    assert third.duplicate is not None and third.duplicate.tier == "T1", "the most urgent tier stays"


def test_a_submission_that_comes_again_is_counted_and_has_no_effect(bench: Bench) -> None:
    bench.take(enriched("s1"))
    assert bench.take(enriched("s1")) == ()
    assert bench.dropped == {"repeated_submission": 1}


def test_a_lead_of_an_owned_account_goes_to_the_division_of_its_owner(bench: Bench) -> None:
    bench.tables.activate("emea")
    bench.tables.hire("E1", "emea")
    scored = bench.scored(enriched("s1", account=account("E1")))
    assert (scored.division, scored.lead_id) == ("emea", "emea.p1.1")


def test_an_open_lead_keeps_its_division_whoever_owns_the_account_now(bench: Bench) -> None:
    bench.scored(enriched("s1"))
    bench.tables.hire("E1", "emea")
    assert bench.scored(enriched("s2", account=account("E1"))).division == "main"


def test_the_owner_of_an_account_who_left_the_roster_binds_nothing(bench: Bench) -> None:
    assert bench.scored(enriched("s1", account=account("gone"))).division == "main"


@pytest.mark.parametrize("kind", [ActivityKind.WON, ActivityKind.LOST, ActivityKind.MERGED, ActivityKind.DELETED])
def test_after_its_end_a_person_gets_a_new_lead_with_history(bench: Bench, kind: ActivityKind) -> None:
    bench.take(enriched("s1"))
    (emit,) = emitted(bench.take(activity(kind, lead_id="main.p1.1")))
    assert (emit.key, emit.value.division) == ("main", "main")
    scored = bench.scored(enriched("s2"))
    assert (scored.lead_id, scored.touch, scored.history) == ("main.p1.2", 1, 1)
    assert scored.duplicate is None and scored.disqualified is None


def test_a_disqualified_lead_is_told_with_who_when_and_why_when_the_person_returns(bench: Bench) -> None:
    bench.take(enriched("s1"))
    bench.take(activity(ActivityKind.DISQUALIFIED, lead_id="main.p1.1", rep="M2", reason="no_budget"))
    told = bench.scored(enriched("s2")).disqualified
    assert told is not None
    assert (told.lead_id, told.rep, told.at, told.reason) == ("main.p1.1", "M2", AT + timedelta(hours=1), "no_budget")


def test_who_was_blocked_comes_back_as_a_suspect_until_a_lead_of_theirs_ends_well(bench: Bench) -> None:
    first = bench.scored(enriched("s1"))
    bench.take(activity(ActivityKind.BLOCKED, lead_id=first.lead_id))
    second = bench.scored(enriched("s2"))
    assert (first.lead.suspect, second.lead.suspect) == ((), ("person.blocked",))
    bench.take(activity(ActivityKind.WON, lead_id=second.lead_id), "a2")
    assert bench.scored(enriched("s3")).lead.suspect == ()


def test_activity_found_by_address_gets_the_open_lead_and_its_division(bench: Bench) -> None:
    bench.take(enriched("s1"))
    (emit,) = emitted(bench.take(activity(ActivityKind.CALLED)))
    assert (emit.type, emit.value.lead_id, emit.value.division) == ("activity.bound", "main.p1.1", "main")


def test_activity_on_an_older_lead_is_passed_on_and_closes_nothing(bench: Bench) -> None:
    bench.take(enriched("s1"))
    bench.take(activity(ActivityKind.LOST, lead_id="main.p1.1"), "a1")
    bench.take(enriched("s2"))
    (emit,) = emitted(bench.take(activity(ActivityKind.LOST, lead_id="main.p1.1"), "a2"))
    assert emit.value.lead_id == "main.p1.1"
    assert bench.scored(enriched("s3")).lead_id == "main.p1.2"


def test_a_repeated_activity_is_recognised_by_its_own_id(bench: Bench) -> None:
    bench.take(enriched("s1"))
    assert emitted(bench.take(activity(ActivityKind.CALLED, activity_id="crm-9"), "a1"))
    assert bench.take(activity(ActivityKind.CALLED, activity_id="crm-9"), "a2") == ()
    assert bench.dropped == {"repeated_activity": 1}


def test_activity_of_somebody_unknown_is_counted(bench: Bench) -> None:
    assert bench.take(activity(ActivityKind.ENGAGED)) == ()
    assert bench.dropped == {"activity_without_lead": 1}


def test_what_was_done_before_the_lead_came_follows_right_behind_it(bench: Bench) -> None:
    """EDG-6: a call overtakes its lead, which a slow provider or an outage holds up."""
    held = bench.take(activity(ActivityKind.CALLED, rep="M1"))
    assert emitted(held) == []
    (wake,) = [effect for effect in held if isinstance(effect, Wake)]
    assert (wake.key, wake.due_at) == ("early/p1", AT + timedelta(hours=25))
    first, call = emitted(bench.take(enriched("s1")))
    assert (first.type, call.type) == ("lead.scored", "activity.bound")
    assert (call.value.lead_id, call.value.rep, call.key) == ("main.p1.1", "M1", "main")
    assert len(emitted(bench.take(enriched("s2")))) == 1
    assert bench.take(WakeUp(waker="early/p1", due_at=AT, fired_at=AT)) == ()


def test_an_end_that_came_before_its_lead_ends_it(bench: Bench) -> None:
    bench.take(activity(ActivityKind.DISQUALIFIED, rep="M2"), "a1")
    bench.take(activity(ActivityKind.CALLED), "a2")
    assert len(emitted(bench.take(enriched("s1")))) == 2
    assert bench.scored(enriched("s2")).lead_id == "main.p1.2"


def test_what_was_done_for_nobody_is_forgotten_after_a_day(bench: Bench) -> None:
    bench.take(activity(ActivityKind.CALLED))
    due_at = AT + timedelta(hours=25)
    bench.take(WakeUp(waker="early/p1", due_at=due_at, fired_at=due_at))
    assert bench.store.stored == {}
    assert bench.dropped == {"activity_without_lead": 1}


def test_a_fire_that_crosses_a_newer_early_activity_forgets_only_what_has_waited_for_a_day(bench: Bench) -> None:
    """The second arrived while the first one's wake-up was under way; TIMERS' tombstone took its arming away."""
    bench.take(activity(ActivityKind.CALLED, activity_id="first"), "a1")
    late = activity(ActivityKind.REPLIED, activity_id="second").model_copy(
        update={"learned_at": AT + timedelta(hours=24, minutes=59)}
    )
    bench.take(late, "a2")
    due_at = AT + timedelta(hours=25)
    woken = bench.take(WakeUp(waker="early/p1", due_at=due_at, fired_at=due_at))
    assert [(e.key, e.due_at) for e in woken if isinstance(e, Wake)] == [
        ("early/p1", AT + timedelta(hours=48, minutes=59))
    ]
    assert bench.dropped == {"activity_without_lead": 1}
    followed = [emit.value.kind for emit in emitted(bench.take(enriched("s1"))) if emit.type == "activity.bound"]
    assert followed == [ActivityKind.REPLIED]


def test_a_test_lead_neither_joins_nor_hides_a_real_one(bench: Bench) -> None:
    real = bench.scored(enriched("s1"))
    trial = bench.scored(enriched("s2", is_test=True))
    assert trial.lead_id != real.lead_id and trial.touch == 1 and trial.duplicate is None
    assert bench.scored(enriched("s3")).lead_id == real.lead_id
    bench.take(activity(ActivityKind.LOST, lead_id=trial.lead_id))
    after = bench.scored(enriched("s4"))
    assert after.lead_id == real.lead_id and after.history == 0


def test_a_late_answer_updates_the_open_lead_without_a_touch(bench: Bench) -> None:
    bench.take(enriched("s1"))
    late = bench.scored(enriched("s1", is_late=True))
    assert (late.lead_id, late.touch, late.is_late, late.duplicate) == ("main.p1.1", 1, True, None)
    assert bench.scored(enriched("s2")).touch == 2


def test_a_late_answer_for_a_lead_that_has_ended_opens_none(bench: Bench) -> None:
    bench.take(enriched("s1"))
    bench.take(activity(ActivityKind.LOST))
    assert bench.take(enriched("s1", is_late=True)) == ()
    assert bench.dropped == {"late_answer": 1}


def waits(effects: Sequence[Effect]) -> Wake:
    (wake,) = [effect for effect in effects if isinstance(effect, Wake)]
    assert emitted(effects) == []
    return wake


@pytest.mark.parametrize("missing", ["pointer", "body", "sense"])
def test_without_a_usable_policy_the_lead_waits_with_its_reason_and_then_goes_on(bench: Bench, missing: str) -> None:
    active = bench.tables.get("policies", "active/main")
    if missing == "pointer":
        bench.tables.rows.clear()
    elif missing == "body":
        bench.tables.rows.pop(("policies", active.hash))
    else:
        bench.tables.activate("main", "division: main\nrules: nonsense")
    wake = waits(bench.take(enriched("s1")))
    assert (wake.topic, wake.to_key, wake.due_at) == ("leads.enriched", "p1", AT + timedelta(seconds=5))
    assert "policy" in wake.data["reason"]
    assert "x@y.example" not in str(wake.data), "a wake-up holds no contact"
    again = waits(bench.take(WakeUp(waker=wake.key, due_at=AT, fired_at=AT)))
    assert again.key == wake.key and again.due_at == AT + timedelta(seconds=10)
    bench.tables.activate("main")
    effects = bench.take(WakeUp(waker=wake.key, due_at=AT, fired_at=AT))
    (emit,) = emitted(effects)
    assert emit.value.lead_id == "main.p1.1" and emit.value.contact.email == "x@y.example"
    assert Delete(wake.key) in effects
    assert bench.take(WakeUp(waker=wake.key, due_at=AT, fired_at=AT)) == ()
    assert bench.dropped == {"stale_wake_up": 1}


def test_the_wait_for_a_policy_is_five_minutes_at_most(bench: Bench) -> None:
    bench.tables.rows.clear()
    wake = waits(bench.take(enriched("s1")))
    for _ in range(12):
        wake = waits(bench.take(WakeUp(waker=wake.key, due_at=AT, fired_at=AT)))
    assert wake.due_at == AT + timedelta(seconds=300)


def journey(bench: Bench, first: LeadEnriched) -> LeadScored:
    """Take a lead and its onward records until it is scored; each hop goes to the key it names."""
    queue: list[Emit | LeadEnriched] = [first]
    for _ in range(20):
        value = queue.pop(0)
        record = value if isinstance(value, LeadEnriched) else value.value
        effects = bench.take(record)
        if scored := emitted(effects):
            found = scored[0].value
            assert isinstance(found, LeadScored)
            return found
        queue += emitted(effects, "leads.enriched")
    raise AssertionError("the lead found no home")


def test_two_addresses_of_one_human_meet_in_one_lead(bench: Bench) -> None:
    first = journey(bench, enriched("s1", person="p9", alternates=("p2",)))
    second = journey(bench, enriched("s2", person="p2", alternates=("p9",)))
    third = journey(bench, enriched("s3", person="p9"))
    assert {first.lead_id, second.lead_id, third.lead_id} == {"main.p2.1"}
    assert [first.touch, second.touch, third.touch] == [1, 2, 3]


def test_a_policy_may_look_for_duplicates_at_the_submitted_address_alone(bench: Bench) -> None:
    text = DEFAULT + "\ndedupe: {after_enrichment: false}\n"
    bench.tables.activate("main", text)
    first = bench.scored(enriched("s1", person="p9", alternates=("p2",)))
    second = bench.scored(enriched("s2", person="p2", alternates=("p9",)))
    assert (first.lead_id, second.lead_id) == ("main.p9.1", "main.p2.1")


def test_an_open_lead_under_another_address_is_found_wherever_it_is(bench: Bench) -> None:
    known = bench.scored(enriched("s1", person="p9"))
    joined = journey(bench, enriched("s2", person="p2", alternates=("p9",)))
    assert joined.lead_id == known.lead_id == "main.p9.1"
    assert joined.touch == 2


def test_activity_at_an_address_without_leads_goes_to_the_home_of_its_human(bench: Bench) -> None:
    journey(bench, enriched("s1", person="p9", alternates=("p2",)))
    (onward,) = emitted(bench.take(activity(ActivityKind.CALLED, person="p9")), "leads.enriched")
    assert (onward.key, onward.value.person) == ("p2", "p2")
    (emit,) = emitted(bench.take(onward.value, "a2"))
    assert emit.value.lead_id == "main.p2.1"


def test_what_is_remembered_of_a_person_is_bounded_and_holds_no_contact(bench: Bench) -> None:
    for n in range(200):
        bench.take(enriched(f"s{n}"))
        bench.take(activity(ActivityKind.CALLED, activity_id=f"c{n}"))
    stored = bench.store.stored["person/p1"]
    assert len(stored) < 3_000
    assert b"x@y.example" not in stored


def test_one_read_and_one_write_a_lead(bench: Bench) -> None:
    effects = bench.score.handle(bench.store, event(enriched("s1")), {}, AT)
    assert [type(effect) for effect in effects] == [Emit, Put]


def test_what_score_does_not_know_is_poison(bench: Bench) -> None:
    with pytest.raises(Poison):
        bench.take(object())
    with pytest.raises(Poison):
        bench.take(activity(ActivityKind.CALLED, person=None))


def test_each_reason_to_drop_is_declared() -> None:
    assert len(set(DROPPED)) == len(DROPPED) == 5
