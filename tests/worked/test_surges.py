"""Surges (EDG-1, EDG-7, NEW-12): urgent leads overtake in a backlog, a bulk of leads is what one by one would be."""

from datetime import datetime, timedelta

from schemas.decision import DecisionKind, JournalEntry, OwnerKind
from tests.worked.world import ROSTER, Arrival, World, at

FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}


def arrival(number: int, action: str, when: datetime) -> Arrival:
    return Arrival(f"c{number}.example", 450, action=action, when=when)


def test_a_lead_of_a_higher_tier_overtakes_in_the_backlog_and_within_a_tier_the_oldest_is_first() -> None:
    world = World(loads=FULL)
    late = [world.arrives(arrival(n, "newsletter", at("14:10") + timedelta(seconds=n))) for n in range(20)]
    warm = [world.arrives(arrival(100 + n, "webinar", at("14:14") + timedelta(seconds=n))) for n in range(5)]
    assert {lead.kind for lead in (*late, *warm)} == {DecisionKind.HELD}
    assert ({lead.tier for lead in late}, {lead.tier for lead in warm}) == ({"T3"}, {"T2"})
    deals = [key.rsplit("/", 1)[1] for key, row in world.state.scan("opportunity/") if row.rep == "M2"]
    placed = [row for deal in deals[:4] for row in world.opportunity("M2", deal, "closed", at("14:20"))]
    drained = [row.lead_id for row in placed if row.kind is DecisionKind.ASSIGNED]
    expected = [row.lead_id for row in (*warm, *late)]
    assert drained == expected[: len(drained)] and len(drained) > len(warm)


def test_a_hot_lead_behind_hundreds_of_held_ones_has_its_owner_at_once() -> None:
    world = World(loads=FULL)
    for number in range(300):
        world.arrives(arrival(number, "newsletter", at("14:14")))
    hot = world.arrives(arrival(1000, "demo", at("14:14:01")))
    assert (hot.kind, hot.owner.kind, hot.owner.id) == (DecisionKind.ASSIGNED, OwnerKind.TEAM_LEAD, "MM")
    assert hot.at == at("14:14:01")


def test_an_import_in_one_batch_is_decided_as_its_leads_one_by_one() -> None:
    one, other = World(), World()
    actions = ("demo", "webinar", "newsletter", "webinar")
    for number in range(200):
        one.arrives(arrival(number, actions[number % 4], at("14:14")))
        one.seal()
        other.arrives(arrival(number, actions[number % 4], at("14:14")))
    other.seal()
    assert one.decisions == other.decisions
    assert _entries(one) == _entries(other)
    assert len(one.journal) > len(other.journal)
    assert one.replays() and other.replays()


def test_the_leads_of_someone_who_leaves_move_in_one_go_as_they_would_one_by_one() -> None:
    world = World(loads={"M1": 0.0, "M2": 0.0, "M3": 0.0})
    owned = [world.arrives(arrival(n, "webinar", at("14:14") + timedelta(seconds=n))) for n in range(30)]
    mine = [lead.lead_id for lead in owned if lead.owner.id == "M1"]
    person = world.state.values["rep/main/M1"]
    assert person.leads == len(mine) > 10
    moved = world.roster(ROSTER["M1"][0].model_copy(update={"active": False}), at("14:15"))
    assert sorted(row.lead_id for row in moved if row.kind is DecisionKind.REASSIGNED) == sorted(mine)
    assert {row.owner.id for row in moved} <= {"M2", "M3", "MM"}
    assert world.load("M1") == 0


def _entries(world: World) -> list[JournalEntry]:
    return [row for record in world.journal for row in record.entries]
