"""A disqualified lead that comes back (EDG-3): to the rep who had it within 90 days, whoever told of its end."""

from datetime import timedelta

import pytest

from routing.lead_state import LeadState
from schemas.activity import ActivityKind
from schemas.decision import Decision
from tests.worked.pipeline import Pipeline, Submission, form
from tests.worked.world import ROSTER, SUBMITTED, at

WARM = form("dev@again.example", 450, "saas", "TX", "content")


def again(days: int) -> Submission:
    """The same person so many days after the tenth of March, at a quarter past two in the pool's zone."""
    return WARM.but(at=SUBMITTED + timedelta(days=days))


def disqualified(world: Pipeline, rep: str | None, by: str = "crm") -> str:
    lead = world.arrives(WARM)
    assert lead.owner.id == "M1"
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:15"), to="M2", by="MM", reason="knows them")
    world.does(ActivityKind.DISQUALIFIED, lead.lead_id, rep, at("14:20"), by=by, reason="no budget")
    return lead.lead_id


def came(world: Pipeline, days: int) -> Decision:
    lead = again(days)
    world.until(lead.seen_at)
    return world.arrives(lead)


def kept(world: Pipeline, lead: str) -> LeadState | None:
    found = world.state.get(f"lead/{lead}")
    assert found is None or isinstance(found, LeadState)
    return found


@pytest.mark.parametrize("rep", [None, "M2"], ids=["a CRM's stage names nobody", "the rep says so"])
@pytest.mark.parametrize("days", [49, 89])
def test_within_90_days_it_is_of_the_rep_who_had_it_with_date_and_reason(days: int, rep: str | None) -> None:
    world = Pipeline()
    disqualified(world, rep)
    lead = came(world, days)
    assert (lead.owner.id, lead.rule, lead.uses_turn) == ("M2", "recycled", False)
    assert "Disqualified on 2026-03-10 while with M2: no budget." in lead.reason


@pytest.mark.parametrize("rep", [None, "M2"])
def test_on_day_90_it_is_a_new_lead_with_its_history(rep: str | None) -> None:
    world = Pipeline()
    disqualified(world, rep)
    lead = came(world, 90)
    assert (lead.rule, lead.uses_turn) == ("mid-market Southwest", True)
    assert "Disqualified on 2026-03-10" in lead.reason


def test_the_rep_who_says_that_they_ended_it_has_it_again_though_it_was_anothers() -> None:
    world = Pipeline()
    disqualified(world, "M3")
    assert came(world, 49).owner.id == "M3"


def test_who_had_it_is_forgotten_when_it_can_no_longer_come_back_to_them() -> None:
    world = Pipeline()
    lead = disqualified(world, None)
    world.until(at("14:20") + timedelta(days=90))
    assert kept(world, lead) is not None
    world.until(at("14:20") + timedelta(days=91))
    assert kept(world, lead) is None


def test_the_end_of_any_other_lead_is_kept_for_thirty_days_and_names_nobody() -> None:
    world = Pipeline()
    lead = world.arrives(WARM).lead_id
    world.does(ActivityKind.LOST, lead, None, at("14:20"))
    end = kept(world, lead)
    assert end is not None and end.owner.id is None
    world.until(at("14:20") + timedelta(days=30))
    assert kept(world, lead) is None


def test_a_rep_who_has_left_since_is_covered_by_their_team_lead() -> None:
    world = Pipeline()
    disqualified(world, None)
    world.roster(ROSTER["M2"][0].model_copy(update={"active": False}), at("14:30"))
    lead = came(world, 49)
    assert (lead.owner.id, "M2 is inactive; the team lead covers." in lead.reason) == ("MM", True)


def test_a_lead_that_a_queue_disqualified_is_nobodys_and_comes_as_a_new_one() -> None:
    world = Pipeline()
    lead = world.arrives(form("sales@rio.example", 300, "saas", "BR", "content")).lead_id
    world.does(ActivityKind.DISQUALIFIED, lead, None, at("14:20"), by="crm", reason="no fit")
    second = form("sales@rio.example", 300, "saas", "TX", "content", at=SUBMITTED + timedelta(days=7))
    world.until(second.seen_at)
    lead_again = world.arrives(second)
    assert (lead_again.rule, lead_again.uses_turn) == ("mid-market Southwest", True)
