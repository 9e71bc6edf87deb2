"""A provider that answers late (ENR-7): the record changes, the owner is told; routed again only by option."""

from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from tests.worked.world import DEFAULT, Arrival, World, at, told

REROUTE = DEFAULT + "\noptions: {late_enrichment: reroute_untouched}\n"
UNKNOWN = Arrival("northfork.example", None, None, action="demo")


def late(world: World, known: Arrival, first: Decision) -> list[Decision]:
    """The same lead comes once more at 14:20, with what a provider answered after it had gone on."""
    scored = known.but(who=first.lead_id.split(".")[1]).scored(world, world.policy)
    return world.send("lead.scored", scored.model_copy(update={"is_late": True}), at("14:20"))


def test_the_owner_is_told_and_nothing_is_routed_again() -> None:
    world = World()
    first = world.arrives(UNKNOWN)
    assert (first.owner.id, first.epoch) == ("Q1", 1)
    (noted,) = late(world, UNKNOWN.but(employees=450, industry="saas"), first)
    assert (noted.kind, noted.owner.id, noted.epoch, noted.uses_turn) == (DecisionKind.NOTED, "Q1", 1, False)
    assert told(noted, "owner") == {"Q1"}
    assert noted.lead is not None and noted.lead.company.employees == 450
    assert world.turns("general-qual")["Q1"] == 1 and world.turns("mm-southwest") == {}


def test_of_a_lead_in_a_queue_nobody_is_told() -> None:
    world = World()
    first = world.arrives(Arrival("rio.example", 300, country="BR", state=None))
    assert first.owner.kind is OwnerKind.QUEUE
    (noted,) = late(world, Arrival("rio.example", 310, country="BR", state=None), first)
    assert (noted.kind, noted.owner.kind) == (DecisionKind.NOTED, OwnerKind.QUEUE)


def test_by_option_an_untouched_lead_is_routed_again() -> None:
    world = World(policy_text=REROUTE)
    first = world.arrives(UNKNOWN)
    moved = late(world, UNKNOWN.but(employees=450, industry="saas"), first)
    assert [(row.kind, row.owner.id) for row in moved] == [(DecisionKind.REASSIGNED, "M1")]
    assert moved[0].epoch == 2


def test_by_option_a_lead_that_somebody_called_stays() -> None:
    world = World(policy_text=REROUTE)
    first = world.arrives(UNKNOWN)
    world.does(ActivityKind.CALLED, first.lead_id, "Q1", at("14:16"))
    (noted,) = late(world, UNKNOWN.but(employees=450, industry="saas"), first)
    assert (noted.kind, noted.owner.id) == (DecisionKind.NOTED, "Q1")


def test_late_data_of_a_lead_that_has_ended_opens_nothing() -> None:
    world = World()
    first = world.arrives(UNKNOWN)
    world.does(ActivityKind.DISQUALIFIED, first.lead_id, "Q1", at("14:16"), reason="no budget")
    assert late(world, UNKNOWN.but(employees=450), first) == []


def test_by_option_a_lead_that_the_same_rule_chooses_again_stays_and_its_owner_is_told() -> None:
    """The next turn is M2's by now: that moves nobody."""
    world = World(policy_text=REROUTE)
    known = Arrival("lone.example", 450, action="webinar")
    first = world.arrives(known)
    (noted,) = late(world, known.but(employees=460), first)
    assert (noted.kind, noted.owner.id, told(noted, "owner")) == (DecisionKind.NOTED, "M1", {"M1"})
    assert world.turns("mm-southwest") == {"M1": 1}


READER = Arrival("tiny.example", 450, action="whitepaper")
TINY = READER.but(employees=20)


def test_by_option_a_lead_that_turns_out_to_be_nurtured_leaves_its_owner_who_is_told() -> None:
    world = World(policy_text=REROUTE)
    first = world.arrives(READER)
    assert (first.owner.id, world.load("M1")) == ("M1", 20.5)
    (aside,) = late(world, TINY, first)
    assert (aside.kind, aside.owner.kind, aside.epoch) == (DecisionKind.NURTURED, OwnerKind.NONE, 2)
    assert (told(aside, "previous_owner"), told(aside, "owner")) == ({"M1"}, set())
    assert aside.reason.startswith("More is known about it now. ")
    assert (world.load("M1"), f"lead/{first.lead_id}" in world.wakes) == (20.0, False)
    assert world.until(at("14:14", 20)) == []


def test_by_option_a_nurtured_lead_that_the_rules_nurture_again_stays_so() -> None:
    world = World(policy_text=REROUTE)
    first = world.arrives(TINY)
    (noted,) = late(world, TINY.but(employees=25), first)
    assert (noted.kind, noted.owner.kind, noted.epoch) == (DecisionKind.NOTED, OwnerKind.NONE, first.epoch)
    assert noted.lead is not None and noted.lead.company.employees == 25


def test_by_option_a_lead_that_another_rule_gives_to_who_has_it_stays_with_them_by_that_rule() -> None:
    """Nobody else of the pool is there."""
    saas = """  - name: saas of the Southwest
    when: company.industry == "saas" && company.state == "TX"
    to: {pool: mm-southwest}
    because: the team knows it
    say: A software company of the Southwest goes to its team.
    owner: VP sales
"""
    last = "  - name: mid-market Southwest\n"
    world = World(REROUTE.replace(last, saas + last), without=("M2", "M3"))
    known = Arrival("lone.example", 450, None, action="webinar")
    first = world.arrives(known)
    (noted,) = late(world, known.but(industry="saas"), first)
    assert (first.rule, first.owner.id) == ("mid-market Southwest", "M1")
    assert (noted.kind, noted.rule, noted.owner.id) == (DecisionKind.NOTED, "saas of the Southwest", "M1")
    assert (world.load("M1"), world.turns("mm-southwest")) == (20.5, {"M1": 1})


def test_by_option_a_nurtured_lead_that_turns_out_to_be_larger_goes_to_people() -> None:
    world = World(policy_text=REROUTE)
    first = world.arrives(TINY)
    (moved,) = late(world, READER, first)
    assert (moved.kind, moved.owner.id, moved.epoch) == (DecisionKind.REASSIGNED, "M1", first.epoch + 1)


def test_a_held_lead_that_turns_out_to_be_nurtured_leaves_the_backlog() -> None:
    world = World(policy_text=REROUTE, loads={"M1": 40, "M2": 40, "M3": 20})
    first = world.arrives(READER)
    assert first.kind is DecisionKind.HELD
    (aside,) = late(world, TINY, first)
    assert aside.kind is DecisionKind.NURTURED
    assert list(world.state.scan("held/")) == []
