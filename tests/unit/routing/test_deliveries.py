"""What becomes of notices, as far as the lead must know: told, not reached, in the CRM late (NOT-5, EDG-4, OPT-6)."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from schemas.delivery import Settlement
from tests.worked.world import DEFAULT, Arrival, World, at, told

HOT = Arrival("lone.example", 450)  # contact by 14:19
FROM_TOLD = DEFAULT + "\nsla: {clock_from: notification}\n"


def test_the_first_delivery_is_noted_and_later_ones_and_failures_change_nothing() -> None:
    world = World()
    lead = world.arrives(HOT)
    assert world.settles(lead, Settlement.FIRST_DELIVERED, at("14:14:10")) == []
    assert world.lead(lead.lead_id).notified_at == at("14:14:10")
    assert world.settles(lead, Settlement.FIRST_DELIVERED, at("14:14:20")) == []
    assert world.lead(lead.lead_id).notified_at == at("14:14:10")
    assert world.settles(lead, Settlement.ALL_FAILED, at("14:14:30")) == []
    assert world.lead(lead.lead_id).failed_at == at("14:14:30")


def test_where_no_channel_reached_the_owner_the_team_lead_is_told_once() -> None:
    world = World()
    lead = world.arrives(HOT)
    (said,) = world.settles(lead, Settlement.ALL_FAILED, at("14:14:10"))
    assert (said.kind, said.reason) == (DecisionKind.ESCALATED, "No channel reached M1; the team lead is told.")
    assert told(said, "manager") == {"MM"}
    assert said.trace["delivery"] == "all_failed"
    assert world.settles(lead, Settlement.ALL_FAILED, at("14:14:40")) == []
    assert world.lead(lead.lead_id).failed_at == at("14:14:10")


def test_what_became_of_an_earlier_owners_notices_is_past() -> None:
    world = World()
    lead = world.arrives(HOT)
    world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:15"))
    for settlement in (Settlement.FIRST_DELIVERED, Settlement.ALL_FAILED):
        assert world.settles(lead, settlement, at("14:15:10")) == []
    assert (world.lead(lead.lead_id).notified_at, world.lead(lead.lead_id).failed_at) == (None, None)


def test_nothing_is_noted_on_a_lead_that_ended_or_that_nobody_knows() -> None:
    world = World()
    lead = world.arrives(HOT)
    world.does(ActivityKind.WON, lead.lead_id, "M1", at("14:15"))
    before = world.lead(lead.lead_id)
    for settlement in Settlement:
        assert world.settles(lead, settlement, at("14:15:10")) == []
        assert world.settles(lead.model_copy(update={"lead_id": f"main.{'f' * 32}.1"}), settlement, at("14:16")) == []
    assert world.lead(lead.lead_id) == before


@pytest.mark.parametrize(
    ("policy", "due"),
    [(DEFAULT, "14:19"), (FROM_TOLD, "14:20")],
    ids=["from the submission", "from the first delivery"],
)
def test_the_clock_may_run_from_the_first_delivery(policy: str, due: str) -> None:
    world = World(policy)
    lead = world.arrives(HOT)
    world.settles(lead, Settlement.FIRST_DELIVERED, at("14:15"))
    world.settles(lead, Settlement.FIRST_DELIVERED, at("14:16"))
    alert = next(row for row in world.until(at("14:30")) if row.trace.get("step") == "1x:alert_manager")
    assert alert.at == at(due)
    assert alert.sla is not None
    assert alert.sla.contact_due_at == at(due)


def test_a_delivery_told_of_after_contact_or_before_the_clock_moves_no_clock() -> None:
    world = World(FROM_TOLD)
    lead = world.arrives(HOT)
    world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:15"))
    world.settles(lead, Settlement.FIRST_DELIVERED, at("14:16"))
    assert (world.lead(lead.lead_id).told_at, world.lead(lead.lead_id).notified_at) == (None, at("14:16"))
    early = World(FROM_TOLD)
    lead = early.arrives(HOT)
    state = early.lead(lead.lead_id)
    early.state.values[f"lead/{lead.lead_id}"] = replace(state, clock_at=at("14:20"))
    early.settles(lead, Settlement.FIRST_DELIVERED, at("14:15"))
    assert early.lead(lead.lead_id).told_at == at("14:20")


@pytest.mark.parametrize(
    ("wall", "before", "breach"),
    [
        pytest.param("14:18", "14:18", None, id="in time"),
        pytest.param("14:19", "14:20", "not_contacted", id="at the deadline"),
        pytest.param("14:19:01", "14:20", "crm_late", id="a second after it"),
    ],
)
def test_a_breach_is_the_crms_where_it_took_the_record_after_the_deadline(
    wall: str, before: str, breach: str | None
) -> None:
    world = World()
    lead = world.arrives(HOT)
    world.until(at(before))
    rows = world.settles(lead, Settlement.CRM_ACKNOWLEDGED, at(wall))
    state = world.lead(lead.lead_id)
    assert (state.crm_at, state.breach) == (at(wall), breach)
    assert state.charged_to == ("M1" if breach == "not_contacted" else None)
    if breach == "crm_late":
        late = "The CRM took the record at 19:19:01 UTC, after the deadline: the breach is not charged to M1."
        assert [(row.kind, row.reason) for row in rows] == [(DecisionKind.NOTED, late)]
    else:
        assert rows == []
    again: list[Any] = world.settles(lead, Settlement.CRM_ACKNOWLEDGED, at("14:21"))
    assert (again, world.lead(lead.lead_id).crm_at) == ([], at(wall))
