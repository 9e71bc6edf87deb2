"""Where a span is, what it tells, and that traces change no record but its header."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.effects import Emit, Wake
from schemas.lead import RawLead
from schemas.topics import TOPICS
from streams.outbox import Outbox
from streams.stage import Event
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from streams.timers.index import Pending
from streams.timers.record import Firing
from streams.tracing import Place, Tracing, place_below, place_of, well_formed
from streams.transaction import Record
from tests.lab.collector import Collector, collecting

NOW = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def event(traceparent: str | None = None, kind: str = "lead.submitted", offset: int = 7) -> Event:
    headers = {} if traceparent is None else {"traceparent": traceparent}
    value = RawLead({"email": "ada@lovelace.example"})
    return Event("event-1", kind, "leads.raw", 0, offset, "ada@lovelace.example", value, NOW, headers)


def test_a_span_is_a_child_of_what_its_record_names() -> None:
    place = place_of(event(f"00-{TRACE}-{PARENT}-01"), "enrich")
    assert place is not None
    assert (place.trace, place.parent) == (TRACE, PARENT)
    assert place.traceparent == f"00-{TRACE}-{place.span}-01"


def test_the_place_of_a_span_is_the_same_after_a_crash_and_its_own_in_each_stage() -> None:
    given = event(f"00-{TRACE}-{PARENT}-01")
    assert place_of(given, "enrich") == place_of(given, "enrich")
    assert place_of(given, "enrich") != place_of(given, "score")


def test_a_submission_without_a_trace_begins_one() -> None:
    place = place_of(event(), "enrich")
    assert place is not None and place.parent == ""
    assert place.trace == place_of(event(), "enrich").trace  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("traceparent", "kind"),
    [
        (f"00-{TRACE}-{PARENT}-00", "lead.submitted"),
        (None, "wake.up"),
    ],
    ids=["not sampled", "nothing to belong to"],
)
def test_what_is_not_traced(traceparent: str | None, kind: str) -> None:
    assert place_of(event(traceparent, kind), "enrich") is None


@pytest.mark.parametrize(
    "broken", ["", "00", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", "garbage" * 20]
)
def test_a_broken_traceparent_counts_as_none(broken: str) -> None:
    place = place_of(event(broken), "enrich")
    assert place is not None and place.parent == ""


@pytest.fixture
def collector() -> Any:
    with collecting() as one:
        yield one


def test_spans_go_out_with_ids_alone_and_outside_calls_below_them(collector: Collector) -> None:
    code = f"""
import asyncio
from spans.call_span import call_span
from streams.tracing import Tracing
from tests.unit.streams.test_tracing import event

tracing = Tracing("enrich", 3, {collector.url!r}).take_in_libraries()
async def call():
    with tracing.within(event()):
        with call_span("provider", "lab"):
            pass
        try:
            with call_span("channel", "email"):
                raise ValueError("no such address ada@lovelace.example")
        except ValueError:
            pass
asyncio.run(call())
tracing.committed([event(offset=7), event(offset=8)], 1_000_000_000, 1_250_000_000)
tracing.close()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    names = {span.name for span in collector.spans}
    assert names == {"enrich lead.submitted", "provider lab", "channel email"}
    stage = next(span for span in collector.spans if span.attributes.get("messaging.kafka.offset") == "7")
    assert stage.service == "leadstream-enrich" and stage.seconds == pytest.approx(0.25)
    calls = [span for span in collector.spans if span.name.startswith(("provider", "channel"))]
    assert {(span.trace, span.parent) for span in calls} == {(stage.trace, stage.id)}
    failed = next(span for span in calls if span.name == "channel email")
    assert failed.attributes == {"error.type": "ValueError"}
    assert not [body for body in collector.bodies if b"lovelace" in body or b"ada@" in body]


class Named(Tracing):
    """Names spans and sends nothing."""

    def __init__(self) -> None:
        self._stage = "enrich"
        self.told: list[tuple[str, Place, tuple[int, int]]] = []

    def tell(
        self, name: str, place: Place, times_ns: tuple[int, int], kind: str, attributes: Mapping[str, str | int]
    ) -> None:
        self.told.append((name, place, times_ns))


def test_the_span_of_a_wake_up_lasts_from_its_due_to_the_commit_of_its_fire() -> None:
    tracing, body = (
        Named(),
        b"\0\0\0\0\0\0\0\5" + b"\0".join((b"leads.scored", b"main", f"00-{TRACE}-{PARENT}-01".encode(), b"{}")),
    )
    firing = Firing({name: name for name in TOPICS}, NOW, None, tracing)
    wake, _ = firing.records(Pending(b"lead/a", 1_000_000, body), 1)
    assert tracing.told == []  # nothing is told before the commit
    firing.committed(3_000_000_000)
    ((name, place, times),) = tracing.told
    assert (name, place.trace, place.parent) == ("timers wake.up", TRACE, PARENT)
    assert times == (1_000_000_000, 3_000_000_000)
    assert dict(Record(*wake).headers or ())["traceparent"] == place.traceparent.encode()


def test_a_callers_trace_is_taken_up_only_where_it_is_one() -> None:
    assert well_formed(f"00-{TRACE}-{PARENT}-00") == f"00-{TRACE}-{PARENT}-00"
    assert well_formed("00-bad\r\nx: y") == ""
    assert place_below("", "seed") is None
    place = place_below("", "seed", "event-1")
    assert place is not None and place.trace == place_of(event(), "enrich").trace  # type: ignore[union-attr]


def test_traces_change_no_record_but_its_traceparent() -> None:
    effects = [
        Emit("leads.enriched", "p", "lead.enriched", {"a": 1}),
        Wake("lead/x", NOW, "leads.scored", "main"),
    ]
    written = []
    for tracing in (None, Named()):
        outbox = Outbox("enrich", "", tracing)
        outbox.take(0, event(f"00-{TRACE}-{PARENT}-01"), effects, NOW, PartitionState(MemoryStore(), {}))
        written.append(outbox.records())
    plain, traced = (
        [(one.topic, one.key, one.value, [row for row in one.headers or () if row[0] != "traceparent"]) for one in rows]
        for rows in written
    )
    assert plain == traced
    named = [dict(one.headers or ())["traceparent"] for rows in written for one in rows]
    assert [str(name).count(TRACE) for name in named] == [1, 1, 1, 1]
    assert named[0] != named[2]


def test_without_a_collector_nothing_of_the_sdk_is_loaded() -> None:
    code = "import sys, streams.topology, streams.runner; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=300, check=False).returncode == 0
