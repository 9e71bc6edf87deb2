"""What a division knows of itself from event to event."""

from datetime import timedelta

from routing.division import Division
from tests.unit.routing.policies import NOW


def test_a_division_counts_its_events_and_has_sealed_no_batch_at_first() -> None:
    first = Division("main", NOW).after(NOW, "p1")
    second = first.after(NOW + timedelta(seconds=1), "p2")
    assert [(one.revision, one.policy_hash) for one in (first, second)] == [(1, "p1"), (2, "p2")]
    assert (second.last_now, second.journal_sequence) == (NOW + timedelta(seconds=1), 0)
