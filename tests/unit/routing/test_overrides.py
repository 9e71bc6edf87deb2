"""What people decide instead of the rules: moves by hand, claims, handoffs, ratings (GOV-8, SEG-3)."""

from datetime import timedelta

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from schemas.lead import MailKind
from tests.unit.routing.policies import ONE_POOL
from tests.worked.world import DEFAULT, Arrival, World, at, told

WARM = Arrival("lone.example", 450, action="webinar")
SMALL = Arrival("small.example", 120, action="webinar")
HOT = Arrival("lone.example", 450)
STRICT = DEFAULT + "\ncapacity: {manual_over_limit: false}\n"


def by_hand(world: World, lead: str, to: str, reason: str | None = None, wall: str = "14:20", day: int = 10) -> object:
    rows = world.does(ActivityKind.REASSIGNED, lead, None, at(wall, day), to=to, by="MM", reason=reason)
    return rows[-1].trace.get("override")


def test_a_move_by_hand_carries_its_reason_code_and_counts_as_a_wrong_first_owner() -> None:
    world = World()
    lead = world.arrives(WARM)
    said = by_hand(world, lead.lead_id, "S1", "wrong_territory")
    assert said == {"by": "MM", "code": "wrong_territory", "is_wrong_first_owner": True}


def test_a_word_that_is_no_reason_code_is_kept_in_the_sentence_and_counted_as_other() -> None:
    world = World()
    lead = world.arrives(WARM)
    said = by_hand(world, lead.lead_id, "S1", "she asked for him")
    assert said == {"by": "MM", "code": "other", "is_wrong_first_owner": True}
    assert "she asked for him" in world.decisions[-1].reason


def test_after_the_window_a_move_by_hand_is_no_wrong_first_owner() -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:15"))
    said = by_hand(world, lead.lead_id, "S1", "workload", "14:15", 12)
    assert said == {"by": "MM", "code": "workload", "is_wrong_first_owner": False}


def test_a_policy_may_keep_people_from_moving_leads_over_the_limit() -> None:
    world = World(STRICT, loads={"S1": 40})
    lead = world.arrives(WARM)
    by_hand(world, lead.lead_id, "S1")
    noted = world.decisions[-1]
    assert (noted.kind, noted.owner.id, noted.trace["refused"]) == (DecisionKind.NOTED, "M1", "full")
    by_hand(world, lead.lead_id, "S2")
    assert world.decisions[-1].owner.id == "S2"


def test_nobody_can_move_a_lead_to_who_has_left() -> None:
    world = World()
    lead = world.arrives(WARM)
    by_hand(world, lead.lead_id, "X9")
    noted = world.decisions[-1]
    assert (noted.kind, noted.owner.id, noted.trace["refused"]) == (DecisionKind.NOTED, "M1", "inactive")
    assert not any("X9" in notice.recipients for notice in noted.notices)


def test_who_qualifies_a_lead_hands_it_on_as_a_new_decision() -> None:
    world = World(DEFAULT.replace("  smb-sdr:\n", "  smb-sdr:\n    hands_to: ent-amer\n"))
    lead = world.arrives(SMALL)
    assert lead.owner.id == "S1"
    world.does(ActivityKind.CALLED, lead.lead_id, "S1", at("14:20"))
    (moved,) = world.does(ActivityKind.QUALIFIED, lead.lead_id, "S1", at("15:00"))
    assert (moved.kind, moved.lead_id, moved.owner.id, moved.pool) == (
        DecisionKind.REASSIGNED,
        lead.lead_id,
        "E2",
        "ent-amer",
    )
    assert (told(moved, "owner"), told(moved, "previous_owner")) == ({"E2"}, {"S1"})
    assert (moved.uses_turn, moved.touch, moved.score, moved.epoch) == (True, lead.touch, lead.score, lead.epoch + 1)
    assert moved.trace["handoff"] == {"from": "S1", "to": "ent-amer"}
    assert moved.sla is not None
    assert (moved.sla.cycle, moved.sla.clock_at, moved.sla.contact_due_at) == (2, at("15:00"), at("16:00"))
    assert (world.load("S1"), world.load("E2")) == (10, 12.5)


def test_to_qualify_a_lead_is_contact_where_none_was_noted() -> None:
    world = World(DEFAULT.replace("  smb-sdr:\n", "  smb-sdr:\n    hands_to: ent-amer\n"))
    lead = world.arrives(SMALL)
    contact, moved = world.does(ActivityKind.QUALIFIED, lead.lead_id, "S1", at("14:30"))
    assert contact.sla is not None
    assert (contact.kind, contact.sla.contacted_at) == (DecisionKind.CONTACTED, at("14:30"))
    assert moved.owner.id == "E2"


def test_a_lead_qualified_in_a_pool_that_hands_to_no_other_stays() -> None:
    world = World()
    lead = world.arrives(SMALL)
    rows = world.does(ActivityKind.QUALIFIED, lead.lead_id, "S1", at("14:30"))
    assert (rows[-1].kind, rows[-1].owner.id) == (DecisionKind.NOTED, "S1")
    assert rows[-1].reason == "S1 qualified it; pool smb-sdr hands leads to no other."


def test_who_qualifies_a_lead_of_a_queue_says_where_it_goes() -> None:
    world = World()
    lead = world.arrives(Arrival("somebody.example", mail=MailKind.PERSONAL)).lead_id
    rows = world.does(ActivityKind.QUALIFIED, lead, "RV", at("14:20"))
    assert rows[-1].reason == "RV qualified it; pool (none) hands leads to no other."
    rows = world.does(ActivityKind.QUALIFIED, lead, "RV", at("14:30"), to="smb-sdr")
    assert (rows[-1].owner.id, rows[-1].pool) == ("S1", "smb-sdr")


def test_a_lead_qualified_before_a_step_took_it_is_handed_on_by_who_qualified_it_and_leaves_no_load_behind() -> None:
    world = World(DEFAULT.replace("  smb-sdr:\n", "  smb-sdr:\n    hands_to: ent-amer\n"))
    lead = world.arrives(SMALL.but(action="demo"))
    (taken,) = [row for row in world.until(at("15:14")) if row.kind is DecisionKind.REASSIGNED]
    assert (lead.owner.id, taken.owner.id) == ("S1", "S2")
    early = taken.at - timedelta(minutes=1)
    rows = world.does(ActivityKind.QUALIFIED, lead.lead_id, "S1", early, learned=at("15:14"))
    assert [(row.previous_owner and row.previous_owner.id, row.owner.id) for row in rows] == [
        ("S2", "S1"),
        ("S1", "E2"),
    ]
    assert [world.load(rep) for rep in ("S1", "S2", "E2")] == [10, 10, 12.5]


def test_a_rating_of_fit_is_kept_on_the_record_and_changes_nothing_else() -> None:
    world = World()
    lead = world.arrives(WARM)
    due = world.wakes[f"lead/{lead.lead_id}"].due_at
    (noted,) = world.does(ActivityKind.FIT_RATED, lead.lead_id, "M1", at("14:15"), value=0.2, reason="a student")
    assert (noted.kind, noted.owner.id, noted.notices) == (DecisionKind.NOTED, "M1", ())
    assert noted.trace == {"policy": noted.policy_hash, "activity": "fit_rated", "fit": 0.2, "by": "M1"}
    assert "0.2: a student" in noted.reason
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == due


@pytest.mark.parametrize("kind", [ActivityKind.CLAIMED, ActivityKind.REASSIGNED])
def test_a_test_lead_moved_by_hand_moves_no_load(kind: ActivityKind) -> None:
    world = World()
    assert world.arrives(WARM).owner.id == "M1"
    lead = world.arrives(Arrival("lone.example", 450, is_test=True))
    world.does(kind, lead.lead_id, "S1" if kind is ActivityKind.CLAIMED else None, at("14:15"), to="S1")
    assert world.decisions[-1].owner.id == "S1"
    assert [world.load(rep) for rep in ("M1", "S1")] == [20.5, 10]
    assert [world.state.values[f"rep/main/{rep}"].leads for rep in ("M1", "S1")] == [1, 0]


def test_a_person_may_move_a_lead_to_a_pool_whose_turn_it_is_there() -> None:
    world = World()
    lead = world.arrives(WARM)
    said = by_hand(world, lead.lead_id, "pool:smb-sdr", "workload")
    moved = world.decisions[-1]
    assert (moved.kind, moved.owner.id, moved.pool, moved.uses_turn) == (DecisionKind.REASSIGNED, "S1", "smb-sdr", True)
    assert said == {"by": "MM", "code": "workload", "is_wrong_first_owner": True}
    assert told(moved, "previous_owner") == {"M1"}
    (declined,) = world.does(ActivityKind.DECLINED, lead.lead_id, "S1", at("14:25"))
    assert (declined.owner.id, declined.pool) == ("S2", "smb-sdr")  # the pool's chain is the lead's from then on


@pytest.mark.parametrize(
    ("to", "queue", "pool"),
    [
        pytest.param("queue:manual-review", "manual-review", None, id="a queue"),
        pytest.param("pool:manual-review", None, "manual-review", id="a pool of its name"),
        pytest.param("manual-review", None, "manual-review", id="of one name the pool"),
    ],
)
def test_a_lead_is_moved_to_the_pool_or_to_the_queue_of_a_name_as_it_is_said(
    to: str, queue: str | None, pool: str | None
) -> None:
    named = DEFAULT.replace("smb-sdr", "manual-review").replace("team: manual-review}", "team: smb-sdr}", 2)
    world = World(named)
    lead = world.arrives(WARM)
    by_hand(world, lead.lead_id, to)
    moved = world.decisions[-1]
    assert (moved.owner.queue, moved.owner.pool) == (queue, pool)


@pytest.mark.parametrize("to", ["sdr: small", "pool:sdr: small"])
def test_a_pool_may_have_a_colon_in_its_name(to: str) -> None:
    world = World(DEFAULT.replace("smb-sdr", '"sdr: small"').replace('team: "sdr: small"', "team: smb-sdr"))
    lead = world.arrives(WARM)
    by_hand(world, lead.lead_id, to)
    assert (world.decisions[-1].kind, world.decisions[-1].pool) == (DecisionKind.REASSIGNED, "sdr: small")


def test_a_lead_moved_away_by_hand_gives_its_room_to_who_waits() -> None:
    world = World(loads={"M1": 39.5, "M2": 40, "M3": 20})
    lead = world.arrives(WARM)
    waiting = world.arrives(WARM.but(domain="two.example"))
    assert (lead.owner.id, waiting.kind) == ("M1", DecisionKind.HELD)
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1", by="MM")
    given = world.decisions[-1]
    assert (given.lead_id, given.kind, given.owner.id) == (waiting.lead_id, DecisionKind.ASSIGNED, "M1")


def test_a_person_may_move_a_lead_to_a_queue_which_keeps_it_when_rules_would_not() -> None:
    world = World()
    lead = world.arrives(WARM)
    by_hand(world, lead.lead_id, "queue:manual-review", "wrong_segment")
    moved = world.decisions[-1]
    assert (moved.kind, moved.owner.kind, moved.owner.queue) == (DecisionKind.QUEUED, OwnerKind.QUEUE, "manual-review")
    assert moved.trace["override"]["code"] == "wrong_segment"
    assert world.load("M1") == 20
    (claimed,) = world.does(ActivityKind.CLAIMED, lead.lead_id, "RV", at("14:25"))
    assert (claimed.owner.id, claimed.owner.kind) == ("RV", OwnerKind.REP)


def test_a_move_by_hand_that_names_nobody_changes_nothing() -> None:
    world = World()
    lead = world.arrives(WARM)
    assert world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), by="MM") == []
    assert world.does(ActivityKind.CLAIMED, lead.lead_id, None, at("14:20")) == []
    assert world.does(ActivityKind.CLAIMED, lead.lead_id, "M1", at("14:20")) == []  # has it already


def test_a_move_without_a_reason_or_a_name_says_so() -> None:
    world = World()
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1")
    assert moved.reason.startswith("Moved by someone: no reason given.")


def test_who_claims_a_nurtured_lead_owns_it() -> None:
    world = World()
    lead = world.arrives(Arrival("tiny.example", 5, action="whitepaper"))
    assert lead.kind is DecisionKind.NURTURED
    (claimed,) = world.does(ActivityKind.CLAIMED, lead.lead_id, "Q2", at("14:20"))
    assert (claimed.kind, claimed.owner.id) == (DecisionKind.REASSIGNED, "Q2")
    assert world.lead(lead.lead_id).phase is Phase.OWNED


def test_a_nurtured_lead_that_somebody_who_has_left_claims_is_still_nurtured_and_comes_back_by_what_it_does() -> None:
    world = World()
    lead = world.arrives(Arrival("tiny.example", 5, action="whitepaper"))
    (noted,) = world.does(ActivityKind.CLAIMED, lead.lead_id, "X9", at("14:20"))
    assert noted.reason == "X9 claimed it. It stays with nobody: X9 cannot have it (inactive)."
    for day in (11, 12, 13):
        world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", day))
    back = world.decisions[-1]
    assert (back.kind, back.owner.id) == (DecisionKind.QUEUED, "RV")


def test_a_suspect_that_somebody_who_has_left_claims_can_still_be_released() -> None:
    world = World()
    lead = world.arrives(Arrival("tiny.example", 450, mail=MailKind.DISPOSABLE))
    assert lead.kind is DecisionKind.QUARANTINED
    world.does(ActivityKind.CLAIMED, lead.lead_id, "X9", at("14:20"))
    (released,) = world.does(ActivityKind.RELEASED, lead.lead_id, "RV", at("14:30"))
    assert (released.kind, released.owner.id) == (DecisionKind.QUEUED, "RV")


def test_a_lead_with_an_owner_is_neither_released_nor_woken_by_engagement() -> None:
    world = World()
    lead = world.arrives(WARM)
    before = world.state.get(f"lead/{lead.lead_id}")
    assert world.does(ActivityKind.RELEASED, lead.lead_id, "RV", at("14:20")) == []
    assert world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("14:21")) == []
    assert world.state.get(f"lead/{lead.lead_id}") == before


def test_a_suspect_that_rules_would_nurture_is_nurtured_when_released() -> None:
    personal = 'when: mail.kind == "personal"'
    assert personal in DEFAULT
    world = World(DEFAULT.replace(personal, "when: lead.is_suspect"))
    lead = world.arrives(Arrival("tiny.example", 5, action="whitepaper", mail=MailKind.DISPOSABLE))
    assert lead.kind is DecisionKind.QUARANTINED
    (released,) = world.does(ActivityKind.RELEASED, lead.lead_id, "RV", at("14:30"))
    assert (released.kind, released.rule) == (DecisionKind.NURTURED, "nurture")
    assert released.reason.startswith("Released by RV.")


def test_a_rating_without_a_value_is_not_kept() -> None:
    world = World()
    lead = world.arrives(WARM)
    assert world.does(ActivityKind.FIT_RATED, lead.lead_id, "M1", at("14:20")) == []


def test_a_declined_lead_of_a_queue_stays_but_is_not_offered_to_who_declined() -> None:
    world = World()
    lead = world.arrives(Arrival("somebody.example", mail=MailKind.PERSONAL))
    assert lead.kind is DecisionKind.QUEUED
    assert world.does(ActivityKind.DECLINED, lead.lead_id, "RV", at("14:20")) == []
    assert world.lead(lead.lead_id).excluded == ("RV",)


@pytest.mark.parametrize(
    ("to", "kind", "phase"),
    [
        ("nurture", DecisionKind.NURTURED, Phase.NURTURED),
        ("quarantine", DecisionKind.QUARANTINED, Phase.QUARANTINED),
    ],
)
def test_a_person_may_set_a_lead_aside(to: str, kind: DecisionKind, phase: Phase) -> None:
    world = World()
    lead = world.arrives(WARM)
    said = by_hand(world, lead.lead_id, to, "not_a_fit")
    aside = world.decisions[-1]
    assert (aside.kind, aside.owner.kind, aside.previous_owner) == (kind, OwnerKind.NONE, lead.owner)
    assert (told(aside, "previous_owner"), said["is_wrong_first_owner"]) == ({"M1"}, True)  # type: ignore[index]
    assert (world.lead(lead.lead_id).phase, world.load("M1")) == (phase, 20)
    assert world.until(at("14:14", 20)) == []
    assert world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:15", 20), to=to, by="MM") == []


def test_a_lead_set_aside_by_hand_gives_its_room_to_who_waits() -> None:
    world = World(loads={"M1": 39.5, "M2": 40, "M3": 20})
    lead = world.arrives(WARM)
    waiting = world.arrives(WARM.but(domain="two.example"))
    assert (lead.owner.id, waiting.kind) == ("M1", DecisionKind.HELD)
    by_hand(world, lead.lead_id, "nurture")
    given = world.decisions[-1]
    assert (given.lead_id, given.kind, given.owner.id) == (waiting.lead_id, DecisionKind.ASSIGNED, "M1")


def test_a_lead_nurtured_by_hand_comes_back_to_people_by_what_it_does() -> None:
    world = World()
    lead = world.arrives(WARM)
    by_hand(world, lead.lead_id, "nurture")
    for day in (11, 12, 13):
        world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", day))
    back = world.decisions[-1]
    assert (back.kind, back.owner.id) == (DecisionKind.QUEUED, "RV")
    assert back.sla is not None and back.sla.clock_at == at("10:00", 13)


def test_a_lead_moved_to_its_own_pool_goes_to_somebody_else_there() -> None:
    world = World()
    lead = world.arrives(HOT)
    (moved,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:15"), to="pool:mm-southwest", by="MM")
    assert (lead.owner.id, moved.owner.id, moved.uses_turn) == ("M1", "M2", True)


def test_a_lead_that_nobody_else_of_the_pool_can_take_stays_uses_no_turn_and_it_is_said() -> None:
    world = World(without=("M2", "M3", "MM", "CA", "CM", "SL"), policy_text=ONE_POOL)
    lead = world.arrives(HOT)
    (noted,) = world.does(
        ActivityKind.REASSIGNED, lead.lead_id, None, at("14:15"), to="pool:only", by="boss", reason="x"
    )
    assert (noted.kind, noted.owner.id, noted.uses_turn) == (DecisionKind.NOTED, "M1", False)
    assert noted.reason == "Moved by boss: x. Nobody else can take it in pool only; it stays with M1."


def test_a_lead_moved_to_the_queue_it_is_in_stays_as_it_is_and_its_times_too() -> None:
    world = World()
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL)).lead_id
    before = world.lead(lead)
    (noted,) = world.does(
        ActivityKind.REASSIGNED, lead, None, at("14:15"), to="queue:manual-review", by="MM", reason="x"
    )
    assert (noted.kind, noted.notices, world.lead(lead)) == (DecisionKind.NOTED, (), before)
    assert noted.reason == "Moved by MM: x. It is in queue manual-review already."


def test_a_lead_moved_to_a_full_pool_says_that_it_waits() -> None:
    world = World(loads=dict.fromkeys(("S1", "S2", "S3"), 40.0))
    lead = world.arrives(HOT.but(action="webinar")).lead_id
    (held,) = world.does(ActivityKind.REASSIGNED, lead, None, at("14:15"), to="pool:smb-sdr", by="MM", reason="x")
    assert held.reason == "Moved by MM: x. It waits for room in pool smb-sdr; SM is accountable."


def test_a_lead_given_to_somebody_by_name_says_no_more_than_that() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    (moved,) = world.does(ActivityKind.REASSIGNED, lead, None, at("14:15"), to="S2", by="MM", reason="knows_account")
    assert moved.reason == "Moved by MM: knows_account. S2 takes it over."


def test_a_queues_lead_that_its_one_reviewer_claimed_and_let_go_is_not_offered_to_them_again() -> None:
    world = World()
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL)).lead_id
    world.does(ActivityKind.CLAIMED, lead, "RV", at("14:15"))
    (back,) = world.does(ActivityKind.DECLINED, lead, "RV", at("14:20"))
    assert (back.owner.queue, back.owner.id) == ("manual-review", "RM")
