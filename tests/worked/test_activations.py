"""A policy that renames or drops a pool, a queue, a rule or a tier is activated while leads of it are open (RUL-6)."""

import pytest

from routing.lead_state import Phase
from routing.policy import compile_policy
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind
from schemas.lead import MailKind
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World, at, of_kind, on_leave, told

RENAMED = DEFAULT.replace("  mm-southwest:\n    members", "  texas:\n    members").replace(
    "{pool: mm-southwest}", "{pool: texas}"
)
DROPPED = RENAMED.partition("examples:")[0].replace("    to: {pool: texas}", "    to: {queue: catch-all}")
FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
HOT, WARM = Arrival("lone.example", 450, who="a" * 32), Arrival("lone.example", 450, action="webinar", who="a" * 32)
PRIVATE = Arrival("gmail.com", None, mail=MailKind.PERSONAL)


def activated(world: World, text: str) -> None:
    world.activate(compile_policy(text), at("14:15"))


def declined(world: World, lead: str) -> list[Decision]:
    return world.does(ActivityKind.DECLINED, lead, None, at("14:16"))


def left(world: World, lead: str) -> list[Decision]:
    return world.roster(ROSTER["M1"][0].model_copy(update={"active": False}), at("14:16"))


def timed_out(world: World, lead: str) -> list[Decision]:
    return world.until(at("14:24"))


@pytest.mark.parametrize("moves", [declined, left, timed_out])
def test_a_lead_of_a_pool_that_was_renamed_goes_to_the_next_of_its_new_name(moves: object) -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    activated(world, RENAMED)
    assert callable(moves)
    (moved,) = of_kind(moves(world, lead), DecisionKind.REASSIGNED)
    assert (moved.owner.id, moved.owner.pool, moved.uses_turn) == ("M2", "texas", True)
    assert world.replays()


@pytest.mark.parametrize("moves", [declined, left])
def test_a_lead_of_a_pool_that_was_dropped_goes_where_the_rules_send_it_now(moves: object) -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    activated(world, DROPPED)
    assert callable(moves)
    (moved,) = moves(world, lead)
    assert (moved.owner.queue, moved.owner.id) == ("catch-all", "CA")


def test_a_bound_lead_whose_last_resort_was_renamed_goes_there_all_the_same() -> None:
    world = World(changed={"E2": on_leave("E2", 9, 14), "EM": on_leave("EM", 9, 14)})
    lead = world.arrives(Arrival("acme.example", 450, account=ACME)).lead_id
    activated(world, RENAMED)
    (moved,) = world.does(ActivityKind.DECLINED, lead, "E1", at("14:16"))
    assert (moved.owner.id, moved.owner.pool) == ("M1", "texas")


def test_held_leads_wait_in_the_pool_of_the_new_name_in_their_order_and_get_its_room() -> None:
    world = World(loads=FULL)
    first = world.arrives(WARM.but(who=None, when=at("14:13"))).lead_id
    second = world.arrives(WARM.but(who=None)).lead_id
    activated(world, RENAMED)
    moved = world.until(at("14:16"))
    assert [(row.lead_id, row.kind, row.owner.id, row.owner.pool) for row in moved] == [
        (first, DecisionKind.HELD, "MM", "texas"),
        (second, DecisionKind.HELD, "MM", "texas"),
    ]
    assert moved[0].reason == "Pool mm-southwest is gone. It waits for room in pool texas; MM is accountable."
    assert told(moved[0], "manager") == {"MM"}
    assert [key.split("/")[2] for key, _ in world.state.scan("held/main/")] == ["texas", "texas"]
    deals = [key.rsplit("/", 1)[1] for key, row in world.state.scan("opportunity/") if row.rep == "M2"]
    given = world.opportunity("M2", deals[0], "closed", at("14:20"))
    assert (given[0].lead_id, given[0].owner.id) == (first, "M2")
    assert {world.lead(lead).clock_at for lead in (first, second)} == {at("14:13"), at("14:14")}


def test_a_held_lead_of_a_dropped_pool_goes_where_the_rules_send_it_now() -> None:
    world = World(loads=FULL)
    world.arrives(WARM)
    activated(world, DROPPED)
    (moved,) = world.until(at("14:16"))
    assert (moved.kind, moved.owner.queue, moved.owner.id) == (DecisionKind.QUEUED, "catch-all", "CA")
    assert list(world.state.scan("held/")) == []


def test_a_held_lead_of_a_renamed_pool_that_gets_hot_waits_for_no_room() -> None:
    world = World(loads=FULL)
    lead = world.arrives(WARM).lead_id
    wake = world.wakes.pop("pool/main/mm-southwest")
    activated(world, RENAMED)
    world.wakes[wake.key] = wake
    world.arrives(HOT.but(touch=2, when=at("14:15")))
    assert (world.lead(lead).phase, world.lead(lead).owner.id, world.lead(lead).owner.pool) == (
        Phase.OWNED,
        "MM",
        "texas",
    )


def test_a_repeat_of_an_absent_owner_finds_the_renamed_pool() -> None:
    world = World(without=("MM",))
    world.arrives(WARM)
    activated(world, RENAMED)
    world.roster(ROSTER["M1"][0].model_copy(update={"status": "sick"}), at("14:15"))
    world.arrives(HOT.but(touch=2, when=at("14:16")))
    assert (world.decisions[-1].owner.id, world.decisions[-1].owner.pool) == ("M2", "texas")


def test_a_claimed_lead_whose_rule_has_another_name_now_goes_back_to_its_queue() -> None:
    world = World()
    lead = world.arrives(PRIVATE).lead_id
    world.does(ActivityKind.CLAIMED, lead, "M1", at("14:15"))
    activated(world, DEFAULT.replace("name: personal email", "name: private address"))
    (moved,) = world.does(ActivityKind.DECLINED, lead, "M1", at("14:16"))
    assert (moved.owner.queue, moved.owner.id) == ("manual-review", "RV")


def test_somebody_answers_for_the_leads_of_a_queue_that_is_gone() -> None:
    world = World()
    lead = world.arrives(PRIVATE).lead_id
    activated(world, DEFAULT.replace("manual-review", "review").partition("examples:")[0])
    alert, moved = world.until(at("14:44"))
    assert (told(alert, "manager"), moved.owner.id, world.lead(lead).owner.id) == ({"SL"}, "SL", "SL")
