"""The demo's hands: sends the leads at a steady rate, and calls the hot ones as good reps do."""

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
from confluent_kafka import Producer

from schemas.decision import Decision, OwnerKind
from schemas.wire import headers_for
from streams.demo.scenario import POISON, SILENT_IDS, Scenario, Sent
from streams.demo.watched import Watched
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified

_SOURCE = "leadstream/demo"
LEADS_PER_SECOND = 14.0
CALL_AFTER_SECONDS = 1.0


class Feed:
    """Writes to leads.raw and leads.activity. `tick` does what is due; it never waits."""

    def __init__(self, cluster: ClusterSettings, scenario: Scenario, now: float) -> None:
        self._cluster = cluster
        self._producer = Producer(plain_producer_config(cluster))
        self._scenario = scenario
        self._order = tuple(_order(scenario))
        self._started = now
        self._sent = 0
        self._is_duplicate_sent = False
        self._calls: dict[str, tuple[float, Decision]] = {}  # lead id and owner -> when to call
        self._called: set[str] = set()

    def tick(self, watched: Watched, now: float) -> None:
        """Send the leads and make the calls that are due. now: monotonic seconds."""
        while self._sent < (now - self._started) * LEADS_PER_SECOND:
            if self._sent == len(self._order):
                break
            self._send(self._order[self._sent])
            self._sent += 1
        if not self._is_duplicate_sent and self._scenario.original.id in watched.by_event:
            self._is_duplicate_sent = True
            self._send(self._scenario.duplicate)
        self._call(watched, now)
        self._producer.poll(0)

    def close(self) -> None:
        """Wait until all that was sent is acknowledged."""
        self._producer.flush(10)

    def _send(self, sent: Sent | None) -> None:
        at = datetime.now(UTC)
        value, event_id = (POISON, "demo-poison") if sent is None else (sent.value(at), sent.id)
        self._write("leads.raw", event_id, "lead.submitted", value, at)

    def _call(self, watched: Watched, now: float) -> None:
        for event, decision in (*watched.by_event.items(), *watched.reassigned.items()):
            is_silent = event in SILENT_IDS and event not in watched.reassigned
            key = f"{decision.lead_id}/{decision.owner.id}"
            if decision.tier == "T1" and decision.owner.kind is OwnerKind.REP and not is_silent:
                self._calls.setdefault(key, (now + CALL_AFTER_SECONDS, decision))
        for key, (due, decision) in self._calls.items():
            if due <= now and key not in self._called:
                self._called.add(key)
                self._report_call(key, decision)

    def _report_call(self, key: str, decision: Decision) -> None:
        at = datetime.now(UTC)
        activity = {
            "id": f"call/{key}",
            "kind": "called",
            "at": at,
            "lead_id": decision.lead_id,
            "rep": decision.owner.id,
        }
        value = orjson.dumps(activity)
        self._write("leads.activity", f"call/{key}", "activity.reported", value, at, key=decision.lead_id)

    def _write(self, topic: str, event_id: str, kind: str, value: bytes, at: datetime, key: str = "") -> None:
        self._producer.produce(
            qualified(self._cluster.namespace, topic),
            key=(key or event_id).encode(),
            value=value,
            headers=dict(headers_for(event_id, kind, _SOURCE, at, {})),
        )


def _order(scenario: Scenario) -> Iterator[Sent | None]:
    """Yield the leads in sending order: those whose clocks take longest first; None is the poison record."""
    yield from scenario.silent
    yield scenario.original
    yield None
    yield scenario.personal
    yield from scenario.regular
