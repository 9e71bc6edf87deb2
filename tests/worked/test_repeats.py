"""An open lead whose person comes back: its owner has it, or who stands in where the owner is not there (ACC-1)."""

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.lead import MailKind
from schemas.rep import Absence, Backup, Rep
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World, at, of_kind, on_leave, told

WARM = Arrival("silent.example", 450, action="webinar", when=at("13:50"), who="a" * 32)
HOT_AGAIN = WARM.but(touch=2, action="demo", when=at("14:14"))
SICK = ROSTER["M1"][0].model_copy(update={"status": "sick"})


def comes_back(world: World, again: Arrival) -> list[Decision]:
    before = len(world.decisions)
    world.arrives(again)
    return world.decisions[before:]


def owned_by_m1(world: World) -> str:
    lead = world.arrives(WARM)
    assert lead.owner.id == "M1"
    return lead.lead_id


def test_the_team_lead_has_the_repeat_of_an_owner_who_is_absent_at_once_and_both_are_told() -> None:
    world = World()
    lead = owned_by_m1(world)
    world.roster(SICK, at("14:00"))
    touched, moved = comes_back(world, HOT_AGAIN)
    assert (touched.kind, touched.tier, touched.notices[0].audience) == (DecisionKind.TOUCHED, "T1", "lead")
    assert touched.reason == "The same person came back; M1 is absent, so somebody else has to answer."
    assert (moved.owner.kind, moved.owner.id, moved.uses_turn) == (OwnerKind.TEAM_LEAD, "MM", False)
    assert (told(moved, "owner"), told(moved, "previous_owner")) == ({"MM"}, {"M1"})
    assert moved.reason == "The same person has come back and M1 is absent. MM takes it over (team lead)."
    assert {"step": "owner", "who": "M1", "why": "absent"} in moved.trace["chain"]
    dues = [step.due_at for step in moved.sla.steps] if moved.sla else []
    assert dues[1:] == [at("14:19"), at("14:24"), at("14:29")], "the clock is the new submission's"
    assert world.lead(lead).breach is None


@pytest.mark.parametrize(
    ("owner", "again", "by"),
    [
        (SICK.model_copy(update={"backups": (Backup(rep="M3"),)}), HOT_AGAIN, "M3"),
        (on_leave("M1", 10, 11), HOT_AGAIN, "MM"),
        (SICK, WARM.but(touch=2, when=at("14:00")), "MM"),
        (
            ROSTER["M1"][0].model_copy(update={"absences": (Absence(start=at("14:18"), until=at("18:00")),)}),
            HOT_AGAIN,
            "MM",
        ),
    ],
    ids=["a named backup first", "on leave", "also of no higher tier", "whose leave begins before the deadline"],
)
def test_only_absence_passes_a_repeat_on(owner: Rep, again: Arrival, by: str) -> None:
    world = World()
    owned_by_m1(world)
    world.roster(owner, at("13:55"))
    assert comes_back(world, again)[-1].owner.id == by


def test_at_night_a_repeat_that_got_hot_goes_to_the_after_hours_team_and_a_warm_one_waits_for_its_owner() -> None:
    for action, owner in (("demo", "H1"), ("webinar", "M1")):
        world = World()
        owned_by_m1(world)
        assert comes_back(world, WARM.but(touch=2, action=action, when=at("22:00")))[-1].owner.id == owner


def test_an_owner_at_the_limit_keeps_the_repeat() -> None:
    world = World()
    lead = owned_by_m1(world)
    while world.load("M1") < 40:
        world.opportunity("M1", f"deal-{world.offset}", "early", at("14:00"))
    (touched,) = comes_back(world, HOT_AGAIN)
    assert (touched.owner.id, told(touched, "owner"), world.lead(lead).epoch) == ("M1", {"M1"}, 2)


def test_the_accounts_backup_stands_in_for_its_owner() -> None:
    world = World(changed={"E1": ROSTER["E1"][0].model_copy(update={"backups": ()})})
    ours = Arrival("acme.example", 5000, account=ACME, action="webinar", who="b" * 32)
    assert world.arrives(ours).owner.id == "E1"
    world.roster(on_leave("E1", 10, 11), at("14:16"))
    moved = comes_back(world, ours.but(touch=2, action="demo", when=at("14:20")))[-1]
    assert (moved.owner.id, told(moved, "owner")) == ("E2", {"E2"})
    assert "Covering E1." in next(row.note for row in moved.notices if row.audience == "owner")


def test_an_accounts_owner_who_is_back_has_the_repeat_when_their_backup_is_absent() -> None:
    world = World(changed={"E1": on_leave("E1", 9, 11)})
    ours = Arrival("acme.example", 5000, account=ACME, action="webinar", who="b" * 32)
    assert world.arrives(ours).owner.id == "E2"
    world.roster(on_leave("E2", 11, 14), at("08:00", 11))
    moved = comes_back(world, ours.but(touch=2, action="demo", when=at("10:00", 11)))[-1]
    assert (moved.owner.id, moved.previous_owner.id if moved.previous_owner else None) == ("E1", "E2")
    assert moved.reason == "The same person has come back and E2 is absent. E1 takes it over."


def test_whoever_nobody_could_relieve_keeps_the_repeat_too() -> None:
    """2x asked everybody; the owner is excluded and has it still."""
    world = World(loads={"M2": 40.0, "M3": 20.0}, without=("MM", "CA", "CM"))
    lead = world.arrives(WARM.but(action="demo")).lead_id
    world.until(at("14:00"))
    assert (world.lead(lead).owner.id, world.lead(lead).excluded) == ("M1", ("M1",))
    world.roster(SICK, at("14:01"))
    (touched,) = comes_back(world, HOT_AGAIN.but(when=at("14:02")))
    assert (touched.owner.id, told(touched, "owner")) == ("M1", {"M1"})


def test_the_repeat_of_a_claimed_lead_stays_with_who_claimed_it_where_nobody_stands_in() -> None:
    world = World()
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL, who="c" * 32)).lead_id
    world.does(ActivityKind.CLAIMED, lead, "M1", at("14:15"))
    (touched,) = comes_back(world, Arrival("gmail.com", None, mail=MailKind.PERSONAL, who="c" * 32, touch=2))
    assert (touched.kind, touched.owner.id) == (DecisionKind.TOUCHED, "M1")


def test_a_held_lead_that_gets_hot_waits_for_no_room() -> None:
    world = World(loads={"M1": 40.0, "M2": 40.0, "M3": 20.0})
    lead = world.arrives(WARM.but(when=at("14:10"))).lead_id
    assert world.lead(lead).phase is Phase.HELD
    touched, given = comes_back(world, HOT_AGAIN)
    assert (touched.kind, touched.tier) == (DecisionKind.TOUCHED, "T1")
    assert (given.kind, given.owner.id, told(given, "owner"), given.at) == (
        DecisionKind.ASSIGNED,
        "MM",
        {"MM"},
        at("14:14"),
    )
    assert list(world.state.scan("held/")) == []


def test_a_held_lead_that_comes_back_no_hotter_keeps_its_place() -> None:
    world = World(loads={"M1": 40.0, "M2": 40.0, "M3": 20.0})
    lead = world.arrives(WARM.but(when=at("14:10"))).lead_id
    place = world.lead(lead).held_in
    (touched,) = comes_back(world, WARM.but(touch=2, when=at("14:14")))
    assert (touched.owner.id, world.lead(lead).held_in) == ("MM", place)


def test_a_repeat_of_a_repeat_is_one_lead_one_turn_and_three_touches() -> None:
    world = World(f"{DEFAULT}\n")
    lead = owned_by_m1(world)
    for touch, action in ((2, "webinar"), (3, "demo"), (4, "newsletter")):
        world.arrives(WARM.but(touch=touch, action=action, when=at(f"14:0{touch}")))
    state = world.lead(lead)
    assert (state.touches, state.tier, state.owner.id) == (4, "T1", "M1")
    assert world.turns("mm-southwest") == {"M1": 1}
    assert state.clock_at == at("14:03"), "of the touch that made it hot; the one after leaves the dues as they stand"
    assert len(of_kind(world.decisions, DecisionKind.ASSIGNED)) == 1


def test_the_reason_of_a_covered_lead_is_a_sentence() -> None:
    soon = ROSTER["E1"][0].model_copy(update={"absences": (Absence(start=at("14:30"), until=at("18:00")),)})
    lead = World(changed={"E1": soon}).arrives(Arrival("acme.example", 5000, account=ACME, action="webinar"))
    assert lead.reason.endswith("E1 goes on leave before the contact deadline; the backup covers.")
