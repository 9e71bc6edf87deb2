"""TRACK as a function: whom an activity concerns, what a division hears of reps and deliveries."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from schemas.activity import ActivityKind, ActivityReported
from schemas.delivery import NoticeSettled, Outcome, Xref
from schemas.effects import DeadLetter, Delete, Effect, Emit, Put, Wake
from schemas.poison import Poison
from schemas.rep import Rep
from schemas.timer import WakeUp
from streams.stages.track import Roster, Track
from tests.unit.streams.people import AT, Entries, TableRows, emitted, event


@pytest.fixture
def tables() -> TableRows:
    return TableRows()


@pytest.fixture
def track(tables: TableRows) -> Track:
    return Track(tables, lambda email: f"person-of-{email}" if "@" in email else None)


@pytest.fixture
def store() -> Entries:
    return Entries(dict(Track.kinds))


def reported(kind: ActivityKind = ActivityKind.CALLED, **more: Any) -> ActivityReported:
    return ActivityReported(kind=kind, **more)


def take(track: Track, value: Any, topic: str = "leads.activity", now: Any = AT, **more: Any) -> Sequence[Effect]:
    return track.handle(Entries(dict(Track.kinds)), event(value, topic=topic, **more), {}, now)


def bound(effects: Sequence[Effect]) -> Emit:
    (emit,) = emitted(effects, "leads.enriched")
    assert emit.type == "activity.bound"
    return emit


def test_a_lead_id_names_its_person(track: Track) -> None:
    emit = bound(take(track, reported(lead_id="main.p7.2", rep="M1", at=AT - timedelta(minutes=3), id="crm-1")))
    assert (emit.key, emit.value.person, emit.value.lead_id, emit.value.rep) == ("p7", "p7", "main.p7.2", "M1")
    assert (emit.value.at, emit.value.learned_at) == (AT - timedelta(minutes=3), AT)
    assert emit.value.activity_id == "crm-1"


def test_a_foreign_id_leads_to_the_lead_it_stands_for(track: Track, tables: TableRows) -> None:
    tables.put("xref", "hubspot:7", Xref(lead_id="main.p7.2", at=AT))
    assert bound(take(track, reported(foreign_id="hubspot:7"))).value.lead_id == "main.p7.2"


def test_an_address_leads_to_its_person_and_goes_no_further(track: Track) -> None:
    emit = bound(take(track, reported(email="a@b.example")))
    assert emit.key == "person-of-a@b.example"
    assert "email" not in type(emit.value).model_fields


def test_an_unknown_foreign_id_waits_and_is_bound_once_it_is_known(track: Track, tables: TableRows) -> None:
    (wake,) = take(track, reported(foreign_id="hubspot:7", rep="M1"))
    assert isinstance(wake, Wake)
    assert (wake.topic, wake.due_at) == ("leads.activity", AT + timedelta(seconds=2))
    (again,) = take(track, WakeUp(waker=wake.key, due_at=AT, fired_at=AT, data=dict(wake.data)), event_id="e2")
    assert isinstance(again, Wake)
    assert (again.key, again.due_at) == (wake.key, AT + timedelta(seconds=4))
    tables.put("xref", "hubspot:7", Xref(lead_id="main.p7.2", at=AT))
    later = AT + timedelta(hours=1)
    emit = bound(take(track, WakeUp(waker=wake.key, due_at=AT, fired_at=AT, data=dict(again.data)), now=later))
    assert (emit.value.lead_id, emit.value.rep, emit.value.learned_at) == ("main.p7.2", "M1", AT)


def test_a_foreign_id_that_nobody_claims_in_two_days_is_set_aside_with_its_reason(track: Track) -> None:
    (wake,) = take(track, reported(foreign_id="hubspot:7"))
    assert isinstance(wake, Wake)
    stale = WakeUp(waker=wake.key, due_at=AT, fired_at=AT, data=dict(wake.data))
    (dead,) = take(track, stale, now=AT + timedelta(days=2))
    assert isinstance(dead, DeadLetter)
    assert "foreign id" in dead.reason and "hubspot" not in dead.reason


def test_a_wait_is_an_hour_at_most(track: Track) -> None:
    (wake,) = take(track, reported(foreign_id="hubspot:7"))
    assert isinstance(wake, Wake)
    data = {**wake.data, "tries": 30}
    (again,) = take(track, WakeUp(waker=wake.key, due_at=AT, fired_at=AT, data=data))
    assert isinstance(again, Wake) and again.due_at == AT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("ahead", "flags"),
    [(timedelta(seconds=30), ()), (timedelta(hours=2), ("at.future",)), (timedelta(seconds=-30), ())],
    ids=["a little ahead", "far ahead", "in the past"],
)
def test_nothing_happens_after_it_was_learned(track: Track, ahead: timedelta, flags: tuple[str, ...]) -> None:
    value = bound(take(track, reported(lead_id="main.p7.2", at=AT + ahead))).value
    assert (value.at, value.flags) == (min(AT, AT + ahead), flags)


def test_an_activity_without_a_time_happened_when_it_was_recorded(track: Track) -> None:
    assert bound(take(track, reported(lead_id="main.p7.2"))).value.at == AT


@pytest.mark.parametrize("lead_id", ["nonsense", "main.p7", "MAIN.p7.1", "main..1", "main.p7.x"])
def test_a_lead_id_that_is_none_of_ours_is_poison(track: Track, lead_id: str) -> None:
    with pytest.raises(Poison):
        take(track, reported(lead_id=lead_id))


def test_an_activity_of_nothing_is_poison(track: Track) -> None:
    with pytest.raises(Poison, match="names no lead"):
        take(track, reported())


def test_an_opportunity_without_a_lead_goes_to_the_division_of_its_rep(track: Track, tables: TableRows) -> None:
    tables.hire("M2", "emea")
    what = reported(ActivityKind.OPPORTUNITY_CHANGED, opportunity_id="o1", rep="M2", stage="late", value=9.5)
    (emit,) = emitted(take(track, what))
    assert (emit.key, emit.value.division, emit.value.person, emit.value.stage) == ("emea", "emea", None, "late")


def test_an_opportunity_of_a_rep_who_is_not_on_the_roster_yet_waits(track: Track) -> None:
    (wake,) = take(track, reported(ActivityKind.OPPORTUNITY_CHANGED, opportunity_id="o1", rep="new"))
    assert isinstance(wake, Wake) and "roster" in wake.data["reason"]


def rep_event(track: Track, store: Entries, rep: Rep | None) -> list[tuple[str, bool, str | None]]:
    effects = store.take(track.handle(store, event(rep, topic="reps", key="E1"), {}, AT))
    return [(emit.key, emit.value.rep is not None, emit.value.moved_to) for emit in emitted(effects)]


def test_a_division_hears_of_a_rep_and_a_move_is_told_to_both(track: Track, store: Entries) -> None:
    assert rep_event(track, store, Rep(id="E1", name="E", division="main")) == [("main", True, None)]
    assert rep_event(track, store, Rep(id="E1", name="E", division="main", limit=9)) == [("main", True, None)]
    moved = rep_event(track, store, Rep(id="E1", name="E", division="emea"))
    assert moved == [("main", False, "emea"), ("emea", True, None)]
    assert store.get("rep/E1") == Roster("emea")
    assert rep_event(track, store, None) == [("emea", False, None)]
    assert store.stored == {}
    assert rep_event(track, store, None) == []


def test_the_two_records_of_a_move_have_ids_of_their_own(track: Track, store: Entries) -> None:
    rep_event(track, store, Rep(id="E1", name="E", division="main"))
    effects = track.handle(store, event(Rep(id="E1", name="E", division="emea"), topic="reps", key="E1"), {}, AT)
    assert len({emit.tag for emit in emitted(effects)}) == 2


def notice(**more: Any) -> NoticeSettled:
    given: dict[str, Any] = {
        "decision_id": "d1",
        "lead_id": "main.p7.2",
        "division": "main",
        "person": "p7",
        "epoch": 2,
        "notice": "n1",
        "audience": "owner",
        "template": "assignment",
        "recipient": "M1",
        "channel": "email",
        "outcome": Outcome.DELIVERED,
        "key": "k",
        "attempts": 1,
        "at": AT,
    }
    return NoticeSettled(**(given | more))


@pytest.mark.parametrize(
    ("settled", "told"),
    [
        (notice(is_first=True), ["first_delivered"]),
        (notice(), []),
        (notice(outcome=Outcome.FAILED), []),
        (notice(outcome=Outcome.FAILED, channel="all", all_failed=True), ["all_failed"]),
        (notice(audience="crm", recipient="crm", channel="crm"), ["crm_acknowledged"]),
        (notice(audience="crm", outcome=Outcome.FAILED), []),
        (notice(audience="lead"), []),
    ],
    ids=["the first", "a second channel", "one failed", "all failed", "CRM has it", "CRM refused", "the lead's own"],
)
def test_a_division_hears_what_became_of_a_decisions_notices(
    track: Track, settled: NoticeSettled, told: list[str]
) -> None:
    found = emitted(take(track, settled, topic="leads.notified"))
    assert [(emit.key, emit.value.settlement.value, emit.value.epoch) for emit in found] == [
        ("main", what, 2) for what in told
    ]


def test_what_track_does_not_know_is_poison(track: Track) -> None:
    with pytest.raises(Poison):
        take(track, object())
    with pytest.raises(Poison, match="carries its activity"):
        take(track, WakeUp(waker="activity/x", due_at=AT, fired_at=AT))


def test_the_roster_is_written_once_a_division(track: Track, store: Entries) -> None:
    first = track.handle(store, event(Rep(id="E1", name="E"), topic="reps", key="E1"), {}, AT)
    assert Put("rep/E1", Roster("main")) in first
    store.take(first)
    again = track.handle(store, event(Rep(id="E1", name="F"), topic="reps", key="E1"), {}, AT)
    assert [effect for effect in again if isinstance(effect, Put | Delete)] == []
