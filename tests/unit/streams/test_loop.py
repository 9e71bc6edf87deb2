"""One batch, one transaction, one fold: the loop over a stand-in for Kafka. What Kafka does is tested on a broker."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition
from prometheus_client import CollectorRegistry

from schemas.effects import DeadLetter, Effect, Emit, Put
from schemas.poison import Poison
from schemas.state import StateView
from streams.assignment import Assignment, Owned
from streams.clock import SteadyClock
from streams.deadletter import DeadLetterFlood, FloodLimit
from streams.errors import Retryable
from streams.health import Health
from streams.kafka.config import ClusterSettings
from streams.lookups import PrepareHangs
from streams.loop import Loop, Pace
from streams.marker import Marker
from streams.message import KafkaFailed
from streams.metrics import RunnerMetrics
from streams.offsets import EPOCH
from streams.restore import Stopped
from streams.stage import Context, Event, Handled, Kind, Stage
from streams.stopping import Stop
from streams.store.memory import MemoryStore, open_memory
from streams.store.state import PartitionState
from streams.store.store import Position
from streams.tables import TableReader, Tables
from streams.transaction import Record, RecordTooLarge, Transactor
from tests.incoming import Made

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = {"count": Kind(orjson.loads)}


class Lacking(Retryable):
    """What the stage needs is not here yet."""


@dataclass(slots=True)
class Tally:
    """A stage that counts a key's records and passes them on; a record's "do" says what it does instead."""

    name: str = "enrich"
    inputs: tuple[str, ...] = ("leads.raw",)
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    lacking: int = 0
    prepared: list[list[int]] = field(default_factory=list)
    nows: list[datetime] = field(default_factory=list)
    allotted: Callable[[Mapping[int, StateView], int], None] = lambda states, of: None

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        self.prepared.append([event.offset for event in batch])
        for event in batch:
            match event.value.fields.get("do"):
                case "fail in prepare":
                    raise RuntimeError("no look-up")
                case "hang in prepare":
                    await asyncio.sleep(3600)
        return {event.id: event.offset for event in batch}

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        self.nows.append(now)
        match event.value.fields.get("do"):
            case "poison":
                raise Poison("it says so")
            case "fail":
                raise KeyError("secret@example.com")
            case "set aside":
                return (DeadLetter("Refused", "it says so"),)
            case "wait" if self.lacking:
                self.lacking -= 1
                raise Lacking("it is not here yet")
        count = (state.get(f"count/{event.key}") or 0) + 1
        value = {"n": count, "found": context.get(event.id)}
        return (Put(f"count/{event.key}", count), Emit("leads.enriched", event.key, "lead.enriched", value))

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        return ()


@dataclass(slots=True)
class Committed:
    """One transaction that went through."""

    records: list[Record]
    offsets: dict[tuple[str, int], int]
    changelog: dict[int, list[Record]]

    @property
    def outputs(self) -> list[Any]:
        return [orjson.loads(one.value or b"null")["n"] for one in self.records if one.topic == "leads.enriched"]

    @property
    def letters(self) -> list[dict[str, str]]:
        return [
            {name: str(value, "utf-8") for name, value in one.headers or [] if isinstance(value, bytes)}
            for one in self.records
            if one.topic == "leads.dlq"
        ]


@dataclass(slots=True)
class Log:
    """Stands for consumer and transactor: gives what is put into `waiting`, keeps what is committed."""

    waiting: list[Made] = field(default_factory=list)
    committed: list[Committed] = field(default_factory=list)
    paused: list[tuple[str, int]] = field(default_factory=list)
    fail: Callable[[Sequence[Record]], None] = lambda records: None

    def give(self, *fields: Mapping[str, Any] | bytes, partition: int = 0, **more: Any) -> None:
        for one in fields:
            offset = sum(made.partition_ == partition for made in self.waiting)
            value = one if isinstance(one, bytes) else orjson.dumps(one)
            self.waiting.append(Made(partition_=partition, offset_=offset, value_=value, **more))

    def poll(self, seconds: float = 0) -> Made | None:
        return self.waiting.pop(0) if self.waiting else None

    def consume(self, limit: int, seconds: float) -> list[Made]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=dict.fromkeys(range(6)))})

    def pause(self, partitions: list[TopicPartition]) -> None:
        self.paused += [(tp.topic, tp.partition) for tp in partitions]

    def run(
        self, records: Sequence[Record], offsets: Sequence[TopicPartition], changelog: Mapping[int, Sequence[Record]]
    ) -> dict[int, int]:
        self.fail([*records, *(row for rows in changelog.values() for row in rows)])
        spots = {(tp.topic, tp.partition): tp.offset for tp in offsets}
        self.committed.append(
            Committed(list(records), spots, {number: list(rows) for number, rows in changelog.items()})
        )
        return {number: 10 + len(rows) for number, rows in changelog.items()}


@dataclass(slots=True)
class Bench:
    """A loop over a `Log`, with two partitions. stores: what was folded."""

    stage: Tally
    log: Log
    loop: Loop
    stores: dict[int, MemoryStore]
    assignment: Assignment
    stop: Stop

    def turn(self, *fields: Mapping[str, Any] | bytes) -> Committed:
        """Take one batch; return its transaction."""
        self.log.give(*fields)
        assert self.loop.turn()
        return self.log.committed[-1]

    def folded(self, number: int = 0) -> dict[str, bytes]:
        return dict(self.stores[number].scan(""))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    cluster, health, stop, log, stage = ClusterSettings(bootstrap="nowhere:1"), Health(), Stop(), Log(), Tally()
    metrics = RunnerMetrics(CollectorRegistry(), stage.name)
    as_stage = cast(Stage, stage)
    assignment = Assignment(cluster, as_stage, open_memory, tmp_path, health, metrics, stop.is_requested)
    stores = {number: MemoryStore() for number in (0, 1)}
    for store in stores.values():
        store.fold({}, Position("t", 0, 0.0))
    assignment.owned = {number: Owned(PartitionState(store, KINDS), EPOCH) for number, store in stores.items()}
    events = asyncio.new_event_loop()
    loop = Loop(
        as_stage,
        "",
        cast(Consumer, log),
        cast(Transactor, log),
        assignment,
        TableReader(cluster, [], Tables(), open_memory, tmp_path, print),
        Marker(tmp_path),
        FloodLimit(5, 0.5, 1_000),
        SteadyClock(lambda: AT, lambda: 0.0),
        health,
        metrics,
        stop,
        events,
        Pace(prepare_seconds=0.2),
    )
    yield Bench(stage, log, loop, stores, assignment, stop)
    events.close()


def test_a_stage_is_told_of_its_partitions_after_each_assignment(bench: Bench) -> None:
    told: list[tuple[list[int], int]] = []
    bench.stage.allotted = lambda states, of: told.append((sorted(states), of))
    bench.turn({})
    assert told == []
    bench.assignment.generation += 1
    bench.turn({})
    del bench.assignment.owned[1]
    bench.assignment.generation += 1
    bench.turn({})
    bench.turn({})
    assert told == [([0, 1], 6), ([0], 6)]


def test_a_turn_without_records_commits_nothing(bench: Bench) -> None:
    assert not bench.loop.turn()
    assert bench.log.committed == []


def test_outputs_changelog_and_offsets_are_one_transaction_and_folded_after_it(bench: Bench) -> None:
    seen: list[dict[str, bytes]] = []
    bench.log.fail = lambda records: seen.append(bench.folded())
    done = bench.turn({}, {}, {})
    assert done.outputs == [1, 2, 3]
    assert done.offsets == {("leads.raw", 0): 3}
    assert [(row.topic, row.key, row.value) for row in done.changelog[0]] == [("state.enrich", "count/k", b"3")]
    assert seen == [{}], "nothing is in the store before the commit"
    assert bench.folded() == {"count/k": b"3"}
    assert bench.stores[0].position() == Position("t", 11, AT.timestamp())
    assert bench.assignment.next_offsets == {("leads.raw", 0): 3}


def test_each_partition_has_a_state_of_its_own(bench: Bench) -> None:
    bench.log.give({}, {})
    bench.log.give({}, partition=1)
    bench.loop.turn()
    assert (bench.folded(0), bench.folded(1)) == ({"count/k": b"2"}, {"count/k": b"1"})
    assert bench.stage.prepared == [[0, 1], [0]], "asked partition by partition"


def test_the_next_batch_sees_what_the_last_one_left(bench: Bench) -> None:
    assert [bench.turn({}).outputs, bench.turn({}).outputs] == [[1], [2]]


def test_after_a_failed_commit_the_store_is_as_before_and_the_process_ends(bench: Bench) -> None:
    def fail(records: Sequence[Record]) -> None:
        raise KafkaFailed("no answer")

    bench.log.fail = fail
    bench.log.give({})
    with pytest.raises(KafkaFailed):
        bench.loop.turn()
    assert (bench.folded(), bench.assignment.next_offsets) == ({}, {})


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"do": "poison"}, "Poison"),
        ({"do": "fail"}, "KeyError"),
        ({"do": "set aside"}, "Refused"),
        (b"{", "Poison"),
        ({"do": "fail in prepare"}, "RuntimeError"),
    ],
    ids=["refused by the stage", "stumbled over", "set aside", "unreadable", "no look-up"],
)
def test_a_bad_record_goes_to_the_dead_letters_in_the_same_transaction_and_the_rest_flow(
    bench: Bench, bad: Mapping[str, Any] | bytes, error: str
) -> None:
    done = bench.turn({}, bad, {})
    assert done.outputs == [1, 2]
    ((letter),) = done.letters
    assert (letter["dlq_offset"], letter["dlq_error"], letter["dlq_stage"]) == ("1", error, "enrich")
    assert "secret" not in letter["dlq_reason"]
    assert done.offsets == {("leads.raw", 0): 3}


def test_a_look_up_that_fails_is_found_by_asking_one_by_one(bench: Bench) -> None:
    bench.turn({}, {"do": "fail in prepare"}, {})
    assert bench.stage.prepared == [[0, 1, 2], [0], [1], [2]]


def test_a_look_up_that_hangs_ends_the_process_and_leaves_its_mark(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.lookups.GRACE_SECONDS", 0.05)
    bench.log.give({"do": "hang in prepare"})
    with pytest.raises(PrepareHangs):
        bench.loop.turn()
    assert bench.log.committed == []


def test_a_record_too_large_is_set_aside_and_the_rest_done_again_from_the_same_state(bench: Bench) -> None:
    def refuse(records: Sequence[Record]) -> None:
        for index, one in enumerate(records):
            if one.topic == "leads.enriched" and orjson.loads(one.value or b"")["found"] == 1:
                raise RecordTooLarge(index)

    bench.log.fail = refuse
    done = bench.turn({}, {}, {})
    assert done.outputs == [1, 2], "the count is that of two records"
    assert [letter["dlq_error"] for letter in done.letters] == ["RecordTooLarge"]
    assert bench.folded() == {"count/k": b"2"}


def test_a_batch_whose_stage_lacks_something_is_held_whole_then_committed_once(bench: Bench) -> None:
    bench.stage.lacking = 1
    done = bench.turn({}, {"do": "wait"}, {})
    assert done.outputs == [1, 2, 3], "what the first try had counted is taken back"
    assert len(bench.log.committed) == 1


def test_a_held_batch_is_left_at_once_when_the_process_should_end(bench: Bench) -> None:
    bench.stage.lacking = 1_000
    bench.log.give({"do": "wait"})
    bench.stop.request()
    with pytest.raises(Stopped):
        bench.loop.turn()
    assert (bench.log.committed, bench.folded()) == ([], {})


def test_the_clock_of_a_partition_never_runs_back_over_a_restart(bench: Bench) -> None:
    bench.assignment.owned[0].now = AT + timedelta(hours=1)
    done = bench.turn({})
    assert bench.stage.nows == [AT + timedelta(hours=1)], "what was decided before the restart is not later than this"
    assert done.offsets == {("leads.raw", 0): 1}


def test_a_flood_of_bad_records_ends_the_process_before_anything_is_committed(bench: Bench) -> None:
    bench.log.give(*[b"{"] * 6)
    with pytest.raises(DeadLetterFlood):
        bench.loop.turn()
    assert bench.log.committed == []
