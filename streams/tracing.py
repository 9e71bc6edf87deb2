"""One OpenTelemetry trace a lead, over all stages and outside calls. Off unless a collector is named in the settings.

A stage's span runs from the start of its batch to the commit, and is told only then: what was taken back leaves none.
Its id is made of the event's, so a batch done again after a crash is the same span, and the records it leads to can
name it before it exists. Who comes without a traceparent begins a trace, made of its event id. Decisions, the journal
and all values are the same with traces and without; only the header `traceparent` of what is written differs.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

from streams.stage import Event

TRACEPARENT = "traceparent"
_SHAPE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_BEGINS = frozenset({"lead.submitted", "activity.reported"})  # what comes from outside, and may begin a trace


class Place(NamedTuple):
    """Where an event's span is: hex ids of its trace, itself and its parent (empty: it begins the trace)."""

    trace: str
    span: str
    parent: str

    @property
    def traceparent(self) -> str:
        """As the records name it that this span leads to."""
        return f"00-{self.trace}-{self.span}-01"


def place_of(event: Event, stage: str) -> Place | None:
    """Return the place of the span of `event` in `stage`, None where it is not traced. The same for ever."""
    found = _SHAPE.fullmatch(event.headers.get(TRACEPARENT, ""))
    if found is not None and found[1].strip("0") and found[2].strip("0"):
        if not int(found[3], 16) & 1:
            return None  # the one who began it chose not to record
        trace, parent = found[1], found[2]
    elif event.type in _BEGINS:
        trace, parent = hashlib.sha256(event.id.encode()).hexdigest()[:32], ""
    else:
        return None
    span = hashlib.sha256(f"{event.id}\x1f{stage}\x1f{event.topic}\x1f{event.offset}".encode()).hexdigest()[:16]
    return Place(trace, span, parent)


Within = Callable[[Event], AbstractContextManager[object]]
"""Makes what is asked of the outside meanwhile children of the event's span."""


def untraced(event: Event) -> AbstractContextManager[object]:
    """A `Within` of who traces nothing."""
    return nullcontext()


class Tracing:
    """Traces to a collector, by OTLP over HTTP, in the background; a full queue loses spans, never time.

    url: of the collector, with or without /v1/traces. For the main thread of a process: outside calls find the provider
    where OpenTelemetry keeps it.
    """

    def __init__(self, stage: str, slot: int, url: str) -> None:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._stage = stage
        self._resource = Resource.create({"service.name": f"leadstream-{stage}", "service.instance.id": str(slot)})
        endpoint = url if url.endswith("/v1/traces") else f"{url.rstrip('/')}/v1/traces"
        self._processor = BatchSpanProcessor(
            OTLPSpanExporter(endpoint, timeout=5), max_queue_size=16_384, schedule_delay_millis=1_000
        )
        self._provider = TracerProvider(resource=self._resource)
        self._provider.add_span_processor(self._processor)
        trace.set_tracer_provider(self._provider)

    def passed_on(self, event: Event) -> str | None:
        """Return the traceparent of what `event` leads to, None where there is none."""
        place = place_of(event, self._stage)
        return event.headers.get(TRACEPARENT) if place is None else place.traceparent

    def committed(self, events: Sequence[Event], began_ns: int, ended_ns: int) -> None:
        """Tell the spans of a batch, from its start to its commit (nanoseconds since 1970)."""
        for event in events:
            place = place_of(event, self._stage)
            if place is not None:
                self._processor.on_end(self._span(event, place, began_ns, ended_ns))

    @contextmanager
    def within(self, event: Event) -> Iterator[None]:
        """A `Within`."""
        from opentelemetry.trace import NonRecordingSpan, use_span

        place = place_of(event, self._stage)
        if place is None:
            yield
            return
        with use_span(NonRecordingSpan(_context(place.trace, place.span))):
            yield

    def close(self) -> None:
        """Send what is waiting."""
        self._provider.shutdown()

    def _span(self, event: Event, place: Place, began_ns: int, ended_ns: int) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanKind

        return ReadableSpan(
            name=f"{self._stage} {event.type}",
            context=_context(place.trace, place.span),
            parent=_context(place.trace, place.parent) if place.parent else None,
            resource=self._resource,
            attributes={
                "messaging.system": "kafka",
                "messaging.destination.name": event.topic,
                "messaging.destination.partition.id": str(event.partition),
                "messaging.kafka.offset": event.offset,
                "messaging.message.id": event.id,
                **_ids(event.value),
            },
            kind=SpanKind.CONSUMER,
            start_time=began_ns,
            end_time=ended_ns,
        )


def _context(trace: str, span: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _ids(value: Any) -> dict[str, str]:
    """Ids and nothing else: a lead's data, its contact above all, has no place in a trace."""
    lead = getattr(value, "lead_id", None)
    return {"leadstream.lead_id": lead} if isinstance(lead, str) else {}
