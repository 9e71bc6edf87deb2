"""One OpenTelemetry trace a lead, over all stages and outside calls. Off unless a collector is named in the settings.

A stage's span runs from the start of its batch to the commit, and is told only then: what was taken back leaves none.
The intake's runs until Kafka has acknowledged, that of a wake-up from its due to the commit of its fire.
Its id is made of the event's, so a batch done again after a crash is the same span, and the records it leads to can
name it before it exists. Who comes without a traceparent begins a trace, made of its event id. Decisions, the journal
and all values are the same with traces and without; only the header `traceparent` of what is written differs.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

from streams.stage import Event

TRACEPARENT = "traceparent"
_SHAPE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
BEGINS = frozenset({"lead.submitted", "activity.reported"})  # what comes from outside, and may begin a trace


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
    seed = f"{event.id}\x1f{stage}\x1f{event.topic}\x1f{event.offset}"
    return place_below(event.headers.get(TRACEPARENT, ""), seed, event.id if event.type in BEGINS else None)


def place_below(traceparent: str, seed: str, begins: str | None = None) -> Place | None:
    """Return the place of a span below `traceparent`, its id made of `seed`; None where it is not traced.

    begins: the id of the event that begins a trace where `traceparent` names none; None: nothing may begin here.
    """
    found = _SHAPE.fullmatch(traceparent)
    if found is not None and found[1].strip("0") and found[2].strip("0"):
        if not int(found[3], 16) & 1:
            return None  # the one who began it chose not to record
        trace, parent = found[1], found[2]
    elif begins is not None:
        trace, parent = hashlib.sha256(begins.encode()).hexdigest()[:32], ""
    else:
        return None
    return Place(trace, hashlib.sha256(seed.encode()).hexdigest()[:16], parent)


def well_formed(traceparent: str) -> str:
    """Return a traceparent of a stranger, empty where it is none."""
    return traceparent if _SHAPE.fullmatch(traceparent) else ""


Within = Callable[[Event], AbstractContextManager[object]]
"""Makes what is asked of the outside meanwhile children of the event's span."""


def untraced(event: Event) -> AbstractContextManager[object]:
    """A `Within` of who traces nothing."""
    return nullcontext()


class Tracing:
    """Traces to a collector, by OTLP over HTTP, in the background; a full queue loses spans, never time.

    url: of the collector, with or without /v1/traces.
    """

    def __init__(self, stage: str, slot: int, url: str) -> None:
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

    def take_in_libraries(self) -> "Tracing":
        """Have what others time through OpenTelemetry in this process sent too: calls to the outside (`spans`).

        Not in the intake: FastAPI then tells a span of each request, with its path.
        """
        from opentelemetry import trace

        trace.set_tracer_provider(self._provider)
        return self

    def passed_on(self, event: Event) -> str | None:
        """Return the traceparent of what `event` leads to, None where there is none."""
        place = place_of(event, self._stage)
        return event.headers.get(TRACEPARENT) if place is None else place.traceparent

    def committed(self, events: Sequence[Event], began_ns: int, ended_ns: int) -> None:
        """Tell the spans of a batch, from its start to its commit (nanoseconds since 1970)."""
        for event in events:
            place = place_of(event, self._stage)
            if place is not None:
                self.tell(f"{self._stage} {event.type}", place, (began_ns, ended_ns), "CONSUMER", _attributes(event))

    def tell(
        self, name: str, place: Place, times_ns: tuple[int, int], kind: str, attributes: Mapping[str, str | int]
    ) -> None:
        """Tell one span that is over. times_ns: its begin and end, since 1970. kind: OpenTelemetry's name of it."""
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanKind

        span = ReadableSpan(
            name=name,
            context=_context(place.trace, place.span),
            parent=_context(place.trace, place.parent) if place.parent else None,
            resource=self._resource,
            attributes={"messaging.system": "kafka", **attributes},
            kind=SpanKind[kind],
            start_time=times_ns[0],
            end_time=times_ns[1],
        )
        self._processor.on_end(span)

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


def _context(trace: str, span: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _attributes(event: Event) -> dict[str, str | int]:
    """Ids and nothing else: a lead's data, its contact above all, has no place in a trace."""
    lead = getattr(event.value, "lead_id", None)
    return {
        "messaging.destination.name": event.topic,
        "messaging.destination.partition.id": str(event.partition),
        "messaging.kafka.offset": event.offset,
        "messaging.message.id": event.id,
        **({"leadstream.lead_id": lead} if isinstance(lead, str) else {}),
    }
