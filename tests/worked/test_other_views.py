"""Where practice disagrees, a policy may hold the other view: what the shipped one does not do, by one option each."""

from typing import Any

import pytest
import yaml

from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at, told

FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
READER = Arrival("slow.example", 450, action="whitepaper")  # T3
WARM = Arrival("lone.example", 450, action="webinar")  # T2


def policy(**sections: Any) -> str:
    """The default policy with these sections in place of its own."""
    return yaml.safe_dump({**yaml.safe_load(DEFAULT), **sections}, sort_keys=False)


@pytest.mark.parametrize(
    ("order", "first"),
    [("tier_first", WARM), ("oldest_first", READER)],
    ids=["the urgent tier first", "the oldest first, whatever its tier"],
)
def test_held_leads_are_drained_by_tier_or_purely_by_age(order: str, first: Arrival) -> None:
    """NEW-12: M2 gets room for one lead."""
    world = World(policy(options={"backlog_order": order}), loads=FULL)
    waiting = {one.domain: world.arrives(one) for one in (READER, WARM.but(when=at("14:16")))}
    assert {row.kind for row in waiting.values()} == {DecisionKind.HELD}
    (given,) = world.roster(ROSTER["M2"][0].model_copy(update={"limit": 40.5}), at("14:20"))
    assert (given.lead_id, given.owner.id) == (waiting[first.domain].lead_id, "M2")


def test_a_team_may_leave_every_answer_to_people() -> None:
    """OPT-16: automate the routing alone."""
    world = World(policy(auto_reply={"enabled": False}))
    lead = world.arrives(WARM)
    assert {row.audience for row in lead.notices} == {"owner", "crm"}
    assert "lead" in {row.audience for row in World().arrives(WARM).notices}


def test_a_seller_to_consumers_routes_personal_addresses_as_any_other() -> None:
    """OPT-15: without the rule."""
    rules = [rule for rule in yaml.safe_load(DEFAULT)["rules"] if rule["name"] != "personal email"]
    buyer = Arrival("gmail.example", None, None, mail=MailKind.PERSONAL)
    assert World().arrives(buyer).owner.queue == "manual-review"
    assert World(policy(rules=rules)).arrives(buyer).owner.id == "Q1"


def replied(rows: list[Decision]) -> list[str]:
    return [notice.template for row in rows for notice in row.notices if notice.audience == "lead"]


def test_a_lead_is_answered_once_an_action_whoever_has_it_by_then() -> None:
    """AUT-2: not on reassignment, not on a repeat within a day; for another action, or a day later, again."""
    world = World()
    again = WARM.but(who="a" * 32)
    lead = world.arrives(again)
    assert len(replied([lead])) == 1
    moved = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1", by="MM", reason="workload")
    assert (told(moved[-1], "owner"), replied(moved)) == ({"S1"}, [])
    for number, (arrival, answers) in enumerate(
        (
            (again.but(when=at("14:30")), 0),
            (again.but(when=at("14:40"), action="demo"), 1),
            (again.but(when=at("14:50"), action="demo"), 0),
            (again.but(when=at("14:15", 11)), 1),
        )
    ):
        world.until(arrival.when)
        assert len(replied([world.arrives(arrival.but(touch=2 + number))])) == answers
