"""The reviewer's side of quarantine: what is listed, what is reported of a choice, and what that does to the lead."""

import pytest

from schemas.activity import ActivityKind, ActivityReported
from schemas.decision import Decision, DecisionKind
from schemas.ids import division_of, person_of
from schemas.lead import MailKind
from streams.cli.commands.quarantine import in_quarantine, report_of
from streams.stages.track import Track
from tests.unit.streams.people import Entries, TableRows, emitted, event
from tests.worked.world import Arrival, World, at

SUSPECT = Arrival("lone.example", 450, mail=MailKind.DISPOSABLE)


def reported(world: World, lead: Decision, kind: ActivityKind) -> list[Decision]:
    """Take the reviewer's record through TRACK to the division, as the stages do."""
    outgoing = report_of(lead.lead_id, kind, "ada", "known customer")
    said = ActivityReported.model_validate_json(outgoing.value or b"")
    track = Track(TableRows(), lambda email: None)
    (bound,) = emitted(track.handle(Entries({}), event(said, topic=outgoing.topic), {}, at("14:30")), "leads.enriched")
    assert bound.key == person_of(lead.lead_id)
    told = bound.value.model_copy(update={"division": division_of(lead.lead_id)})
    return world.send("activity.bound", told, at("14:30"))


def test_what_waits_in_quarantine_is_listed_until_somebody_decides() -> None:
    world = World()
    first, second = world.arrives(SUSPECT), world.arrives(SUSPECT)
    world.arrives(Arrival("acme.example"))
    assert [one.lead_id for one in in_quarantine(world.decisions)] == sorted([first.lead_id, second.lead_id])
    reported(world, first, ActivityKind.RELEASED)
    assert [one.lead_id for one in in_quarantine(world.decisions)] == [second.lead_id]
    reported(world, second, ActivityKind.BLOCKED)
    assert in_quarantine(world.decisions) == []


@pytest.mark.parametrize(
    ("kind", "became"), [(ActivityKind.RELEASED, DecisionKind.QUEUED), (ActivityKind.BLOCKED, DecisionKind.CLOSED)]
)
def test_a_choice_reaches_the_lead(kind: ActivityKind, became: DecisionKind) -> None:
    world = World()
    (decision,) = reported(world, world.arrives(SUSPECT), kind)
    assert decision.kind is became


def test_a_repeated_command_is_one_record_under_one_id() -> None:
    one, other = (report_of("main.p7.1", ActivityKind.RELEASED, "ada", "fine") for _ in range(2))
    assert one == other
    assert one.id != report_of("main.p7.1", ActivityKind.BLOCKED, "ada", "spam").id
