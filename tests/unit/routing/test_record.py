"""The record of a decision: what stands in it of the lead, its owners, turns and clocks, and what is left out."""

from dataclasses import replace

import orjson

from routing.decide import DecisionInput, decide
from schemas.activity import ActivityKind
from schemas.decided import Decided
from schemas.decision import Decision, DecisionKind
from schemas.lead import MailKind
from tests.worked.world import ACME, Arrival, World, at

HOT = Arrival("lone.example", 450)
WARM = HOT.but(action="webinar")


def test_only_who_is_picked_in_turn_uses_a_turn() -> None:
    world = World()
    assert world.arrives(WARM).uses_turn
    assert not world.arrives(HOT.but(account=ACME)).uses_turn
    assert not world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL)).uses_turn
    alerts = [row for row in world.until(at("14:19")) if row.kind is DecisionKind.ESCALATED]
    assert alerts and not any(row.uses_turn for row in alerts)


def test_a_decision_names_the_owner_before_where_there_was_one() -> None:
    world = World()
    lead = world.arrives(Arrival("tiny.example", 5, action="whitepaper"))
    (claimed,) = world.does(ActivityKind.CLAIMED, lead.lead_id, "Q2", at("14:20"))
    assert (lead.previous_owner, claimed.previous_owner) == (None, None)
    (moved,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:30"), to="Q1", by="QM")
    assert moved.previous_owner is not None and moved.previous_owner.id == "Q2"


def test_the_pool_is_that_of_the_owner_else_the_one_that_the_rules_chose() -> None:
    world = World()
    owned = world.arrives(HOT.but(account=ACME))
    assert (owned.owner.id, owned.owner.pool, owned.pool) == ("E1", None, "mm-southwest")
    lead = world.arrives(WARM)
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="pool:smb-sdr", by="MM")
    assert (world.decisions[-1].owner.pool, world.decisions[-1].pool) == ("smb-sdr", "smb-sdr")


def test_the_clocks_stand_in_it_until_the_lead_is_closed() -> None:
    world = World()
    lead = world.arrives(WARM)
    (closed,) = world.does(ActivityKind.LOST, lead.lead_id, None, at("14:20"))
    assert (lead.sla is not None, closed.kind, closed.sla) == (True, DecisionKind.CLOSED, None)


def test_a_lead_that_waits_for_a_policy_has_no_score_and_uses_no_turn() -> None:
    world = World()
    for key, value in list(world.state.values.items()):
        if key.startswith("division/"):
            world.state.values[key] = replace(value, policy_hash=None)
    lead = world.arrives(WARM)
    assert (lead.kind, lead.score, lead.uses_turn, lead.touch) == (DecisionKind.HELD, 0, False, 1)
    assert lead.trace == {"waits_for": "policy"}


def test_what_has_no_value_is_left_out() -> None:
    world = World()
    scored = WARM.scored(world, world.policy).model_copy(update={"contact": None})
    made = decide(world.state, DecisionInput("e1", scored), world.policy, at("14:14"))
    (written,) = [orjson.loads(b"".join(one.pieces)) for one in made if isinstance(one, Decided)]
    assert written["owner"] == {"kind": "rep", "id": "M1", "pool": "mm-southwest"}
    assert "previous_owner" not in written
    assert not {"contacted_at", "breach", "breach_charged_to"} & written["sla"].keys()
    assert Decision.model_validate(written).owner.id == "M1"
