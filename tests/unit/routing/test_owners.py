"""What changes hands with a lead: epoch, turn, load, index, first owner, place in the backlog."""

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from schemas.lead import MailKind
from tests.worked.world import ROSTER, Arrival, World, at, person

WARM = Arrival("lone.example", 450, action="webinar")
FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}


def test_an_owner_takes_a_turn_a_load_and_the_first_epoch_and_the_next_one_the_second() -> None:
    world = World()
    lead = world.arrives(WARM)
    first = world.lead(lead.lead_id)
    assert (first.epoch, first.owned_at, first.first_owned_at, first.points) == (1, at("14:14"), at("14:14"), 50)
    assert (first.strategy, world.turns("mm-southwest"), world.load("M1")) == ("weighted", {"M1": 1}, 20.5)
    assert [key for key, _ in world.state.scan("lead-by-owner/main/")] == [f"lead-by-owner/main/M1/{lead.lead_id}"]
    world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:20"))
    second = world.lead(lead.lead_id)
    assert (second.epoch, second.owned_at, second.first_owned_at) == (2, at("14:20"), at("14:14"))
    assert [key for key, _ in world.state.scan("lead-by-owner/main/")] == [f"lead-by-owner/main/M2/{lead.lead_id}"]
    assert (world.load("M1"), world.load("M2")) == (20, 20.5)


def test_a_held_lead_stands_in_the_backlog_until_it_has_an_owner_and_was_owned_by_nobody_before() -> None:
    world = World(loads=FULL)
    held = world.arrives(WARM)
    state = world.lead(held.lead_id)
    assert (held.kind, state.owned_at, state.first_owned_at) == (DecisionKind.HELD, None, None)
    place = f"held/main/mm-southwest/01/2026-03-10T19:14:00.000000Z/{held.lead_id}"
    assert [key for key, _ in world.state.scan("held/")] == [place]
    assert world.wakes["pool/main/mm-southwest"].due_at == at("14:15")
    world.until(at("14:29"))
    assert list(world.state.scan("held/")) == []


def test_a_test_lead_has_no_points_and_no_turn() -> None:
    world = World()
    lead = world.arrives(WARM.but(is_test=True))
    assert (world.lead(lead.lead_id).points, world.turns("mm-southwest"), world.load("M1")) == (0, {}, 20)
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", at("14:20"), stage="late")
    assert (world.lead(lead.lead_id).points, world.load("M1")) == (0, 20)
    world.does(ActivityKind.LOST, lead.lead_id, "M1", at("14:30"))
    assert world.load("M1") == 20


def test_a_nurtured_lead_has_an_epoch_and_one_touch_and_weighs_nothing_until_somebody_claims_it() -> None:
    world = World()
    nurtured = world.arrives(Arrival("tiny.example", 5, action="whitepaper"))
    state = world.lead(nurtured.lead_id)
    assert (nurtured.kind, state.epoch, state.touches, state.points) == (DecisionKind.NURTURED, 1, 1, 0)
    world.does(ActivityKind.CLAIMED, nurtured.lead_id, "M1", at("14:20"))
    assert (world.lead(nurtured.lead_id).epoch, world.load("M1")) == (2, 20.5)


def test_a_lead_that_its_team_lead_waited_with_is_an_assignment_of_its_own_once_they_take_it() -> None:
    world = World(loads=FULL)
    lead = world.arrives(WARM).lead_id
    assert (world.lead(lead).owner.id, world.lead(lead).epoch, world.lead(lead).held_until) == ("MM", 1, None)
    world.until(at("14:29"))
    taken = world.lead(lead)
    assert (taken.phase, taken.owner.id, taken.epoch, taken.held_until) == (Phase.OWNED, "MM", 2, at("14:29"))
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:40"), to="S1", by="MM")
    assert (world.lead(lead).epoch, world.lead(lead).held_until) == (3, at("14:29"))


def test_a_lead_that_waits_is_a_load_of_nobody_before_or_after() -> None:
    world = World(loads=FULL)
    lead = world.arrives(WARM).lead_id
    assert (world.load("MM"), world.load("M1")) == (0, 40)
    world.roster(ROSTER["M1"][0].model_copy(update={"limit": 50.0}), at("14:20"))
    assert (world.lead(lead).owner.id, world.load("MM"), world.load("M1")) == ("M1", 0, 40.5)


def test_a_lead_in_a_queue_is_a_load_of_nobody() -> None:
    world = World()
    lead = world.arrives(WARM.but(country="BR", state=None)).lead_id
    assert (world.lead(lead).owner.id, world.load("CA")) == ("CA", 0)
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:20"), to="S1", by="CM")
    assert (world.load("CA"), world.load("S1")) == (0, 10.5)


def test_a_queued_lead_whose_reviewer_leaves_keeps_the_queues_time() -> None:
    world = World()
    world.roster(person("R2", "manual-review", "reviewer"))
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    left = lead.owner.id or ""
    world.roster(person(left, "manual-review", "reviewer", active=False), at("14:20"))
    state = world.lead(lead.lead_id)
    assert ({left, state.owner.id}, state.owner.queue) == ({"RV", "R2"}, "manual-review")
    assert state.queued_at is None
