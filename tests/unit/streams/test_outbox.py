"""From effects to records."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from schemas.effects import CancelWake, DeadLetter, Delete, Effect, Emit, Put, Wake
from schemas.ids import derived_id
from streams.outbox import Outbox
from streams.stage import Event, Kind
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(**fields: Any) -> Event:
    known: dict[str, Any] = {
        "id": "e1",
        "type": "lead.submitted",
        "topic": "leads.raw",
        "partition": 3,
        "offset": 7,
        "key": "k",
    }
    return Event(**(known | {"value": None, "recorded_at": NOW, "headers": {}} | fields))


@pytest.fixture
def state() -> PartitionState:
    return PartitionState(MemoryStore(), {"lead": Kind(orjson.loads)})


@pytest.fixture
def outbox() -> Outbox:
    return Outbox("enrich", "acme")


def test_an_emit_is_a_cloud_event_whose_id_derives_from_its_input(outbox: Outbox, state: PartitionState) -> None:
    given = event(headers={"traceparent": "00-ab-cd-01", "secret": "no"})
    effects = [Emit("leads.pending", "p", "lead.pending", {"a": 1}), Emit("leads.pending", "p", "x", None, tag="t")]
    outbox.take(0, given, effects, NOW, state)
    first, second = outbox.records()
    headers = dict(first.headers or [])
    assert (first.topic, first.key, first.value, first.partition) == ("acme.leads.pending", "p", b'{"a":1}', -1)
    assert headers["ce_id"] == derived_id("e1", "enrich", "0").encode()
    assert headers["ce_source"] == b"leadstream/enrich"
    assert headers["ce_time"] == b"2026-03-01T12:00:00.000Z"
    assert headers["traceparent"] == b"00-ab-cd-01"
    assert "secret" not in headers
    assert dict(second.headers or [])["ce_id"] == derived_id("e1", "enrich", "t").encode()
    assert second.value is None


def test_the_changelog_has_the_last_value_per_key_at_the_partition_of_the_input(
    outbox: Outbox, state: PartitionState
) -> None:
    outbox.take(0, event(), [Put("lead/1", 1), Put("lead/2", 2)], NOW, state)
    outbox.take(1, event(), [Put("lead/1", 5), Delete("lead/2")], NOW, state)
    rows = outbox.changelog({3: state})[3]
    assert [(row.topic, row.key, row.value, row.partition) for row in rows] == [
        ("acme.state.enrich", "lead/1", b"5", 3),
        ("acme.state.enrich", "lead/2", None, 3),
    ]
    assert [outbox.origin(place, 0) for place in (0, 1)] == [1, 1]


def test_of_one_wake_up_only_the_last_arming_or_cancelling_is_written(outbox: Outbox, state: PartitionState) -> None:
    wake = Wake("lead/1", NOW, "leads.scored", "main", {"n": 1})
    outbox.take(0, event(), [wake, Wake("lead/2", NOW, "leads.scored", "main")], NOW, state)
    outbox.take(1, event(), [CancelWake("lead/2")], NOW, state)
    first, second = outbox.records()
    assert (first.topic, first.key) == ("acme.leads.timers", "lead/1")
    assert orjson.loads(first.value or b"")["to_key"] == "main"
    assert (second.key, second.value) == ("lead/2", None)


@pytest.mark.parametrize(
    "bad",
    [Emit("leads.nowhere", "k", "t", {}), Put("pool/1", 1), Put("lead/1", object()), Put("lead/1", None)],
    ids=["unknown topic", "unknown kind", "not JSON", "none"],
)
def test_the_effects_of_one_event_are_taken_whole_or_not_at_all(
    outbox: Outbox, state: PartitionState, bad: Effect
) -> None:
    good: list[Effect] = [Put("lead/9", 1), Emit("leads.pending", "p", "t", {}), Wake("w", NOW, "leads.scored", "main")]
    with pytest.raises(Exception):  # noqa: B017 - whatever it is, nothing may be left of the event
        outbox.take(0, event(), [*good, bad], NOW, state)
    assert outbox.records() == []
    assert outbox.changelog({3: state}) == {}
    assert state.get("lead/9") is None


def test_a_dead_letter_is_handed_back(outbox: Outbox, state: PartitionState) -> None:
    letter = DeadLetter("Refused", "because")
    assert outbox.take(0, event(), [letter], NOW, state) == letter


def test_a_stage_without_a_changelog_may_not_put(state: PartitionState) -> None:
    with pytest.raises(ValueError, match=r"state\.timers"):
        Outbox("timers", "").take(0, event(), [Put("lead/1", 1)], NOW, state)


def test_a_wake_up_carries_the_trace_of_what_armed_it(outbox: Outbox, state: PartitionState) -> None:
    given = event(headers={"traceparent": "00-ab-cd-01", "secret": "no"})
    outbox.take(0, given, [Wake("lead/a", NOW, "leads.scored", "main")], NOW, state)
    (record,) = outbox.records()
    headers = dict(record.headers or ())
    assert headers["traceparent"] == b"00-ab-cd-01"
    assert "secret" not in headers


def test_wake_ups_lie_by_their_key_or_beside_their_input(outbox: Outbox, state: PartitionState) -> None:
    effects = [Wake("lead/1", NOW, "leads.scored", "main"), CancelWake("lead/2")]
    outbox.take(0, event(), effects, NOW, state)
    assert [record.partition for record in outbox.records()] == [-1, -1]
    outbox.clear()
    outbox.timers_beside = 2  # and the input's is 3
    outbox.take(0, event(), effects, NOW, state)
    assert [record.partition for record in outbox.records()] == [1, 1]
