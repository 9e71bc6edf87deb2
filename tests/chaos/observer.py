"""A read_committed reader that watches a run from the first record on, beside everything that goes on."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from notifiers.delivery import PEOPLE, Row, delivery_key, notice_of, opened
from notifiers.settings import ChannelSettings
from schemas.decision import Decision
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config
from tests.chaos.evidence import Decided, Evidence, Journalled, Letter, Passed, Settled

WATCHED = (
    "leads.pending",
    "leads.enriched",
    "leads.scored",
    "leads.assigned",
    "leads.notified",
    "leads.redeliver",
    "leads.activity",
    "leads.timers",
    "leads.dlq",
    "decisions",
)
OWN_IDS = (
    "leads.pending",
    "leads.enriched",
    "leads.scored",
    "leads.assigned",
    "leads.notified",
    "leads.redeliver",
    "decisions",
)
"""Topics that leadstream alone writes: a `ce_id` must not come twice."""


class Observer:
    """Reads in a thread of its own until `close`. `evidence` grows; `last` is the last offset seen by partition."""

    def __init__(
        self, cluster: ClusterSettings, evidence: Evidence, channels: ChannelSettings, on_lead: Callable[[str], None]
    ) -> None:
        self.evidence = evidence
        self.last: dict[tuple[str, int], int] = {}
        self.at_end: set[tuple[str, int]] = set()
        self._on_lead = on_lead
        self._channels = channels
        self._names = {qualified(cluster.namespace, name): name for name in WATCHED}
        self._consumer = Consumer(table_consumer_config(cluster))
        self._partitions = 0
        self._ending = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)
        self._take: Mapping[str, Callable[[Any, dict[str, str]], None]] = {
            "leads.enriched": self._enriched,
            "leads.scored": self._scored,
            "leads.assigned": self._decision,
            "leads.notified": self._settlement,
            "leads.timers": self._timer,
            "leads.dlq": self._letter,
            "decisions": self._journal,
        }

    def __enter__(self) -> "Observer":
        known = self._consumer.list_topics(timeout=60).topics
        spots = [(full, number) for full in self._names for number in known[full].partitions]
        self._partitions = len(spots)
        self._consumer.assign([TopicPartition(*spot, OFFSET_BEGINNING) for spot in spots])
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(120)
        self._consumer.close()

    @property
    def is_at_end(self) -> bool:
        """Tell whether all that is committed was read."""
        self.check()
        return len(self.at_end) == self._partitions

    def check(self) -> None:
        """Raise what ended the reader, if anything did."""
        if self._failed is not None:
            raise AssertionError("the reader failed") from self._failed

    def _watch(self) -> None:
        try:
            while not self._ending.is_set():
                for message in self._consumer.consume(500, 0.1):
                    self._see(message)
        except BaseException as error:
            self._failed = error

    def _see(self, message: Any) -> None:
        name = self._names[message.topic()]
        spot = (name, message.partition())
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            self.at_end.add(spot)
            return
        self.at_end.discard(spot)
        headers = {key: (value or b"").decode(errors="replace") for key, value in message.headers() or ()}
        if name in OWN_IDS:
            self.evidence.record_ids.setdefault(name, []).append(headers.get("ce_id", "?"))
        take = self._take.get(name)
        if take is not None:
            take(message, headers)
        self.last[spot] = message.offset()

    def _enriched(self, message: Any, headers: dict[str, str]) -> None:
        kind = headers["ce_type"]
        if kind in ("lead.enriched", "activity.bound"):
            value = orjson.loads(message.value())
            about = value["lead"]["event_id"] if kind == "lead.enriched" else value.get("activity_id", "")
            person = message.key().decode()
            row = Passed(headers["ce_id"], kind, message.partition(), person, person, about, value.get("lead_id", ""))
            self.evidence.enriched.append(row)

    def _scored(self, message: Any, headers: dict[str, str]) -> None:
        kind = headers["ce_type"]
        value = orjson.loads(message.value())
        person = about = ""
        if kind == "lead.scored":
            person, about = value["lead"]["person"], value["lead"]["event_id"]
        elif kind == "activity.bound":
            person, about = value.get("person", ""), value.get("activity_id", "")
        row = Passed(
            headers.get("ce_id") or f"leads.scored/{message.partition()}/{message.offset()}",
            kind,
            message.partition(),
            message.key().decode(),
            person,
            about,
            value.get("lead_id", ""),
        )
        self.evidence.scored.append(row)

    def _decision(self, message: Any, headers: dict[str, str]) -> None:
        decision = Decision.model_validate_json(message.value())
        sla, owner = decision.sla, decision.owner
        planned = opened(decision, self._channels, decision.at).rows if decision.notices else ()
        steps = tuple((step.name, step.done_at.isoformat()) for step in (sla.steps if sla else ()) if step.done_at)
        row = Decided(
            id=decision.decision_id,
            record_id=headers["ce_id"],
            lead_id=decision.lead_id,
            person=decision.person,
            partition=message.partition(),
            division=decision.division,
            kind=decision.kind.value,
            cause=decision.cause,
            epoch=decision.epoch,
            owner_kind=owner.kind.value,
            owner=owner.id or "",
            pool=owner.pool or "",
            uses_turn=decision.uses_turn,
            cycle=sla.cycle if sla else 0,
            steps=steps,
            step=str(decision.trace.get("step", "")),
            deliveries=tuple(one.key for one in planned),
            fallbacks=tuple(_fallbacks(decision, planned, self._channels)),
        )
        self.evidence.decided.append(row)
        if row.kind == "assigned" and row.owner_kind == "rep":
            self._on_lead(f"{row.lead_id} {row.owner}")

    def _settlement(self, message: Any, headers: dict[str, str]) -> None:
        value = orjson.loads(message.value())
        row = Settled(value["key"], value["channel"], value["outcome"], value.get("possible_repeat", False))
        self.evidence.settled.append(row)

    def _timer(self, message: Any, headers: dict[str, str]) -> None:
        key = message.key().decode()
        if message.value() is None:
            self.evidence.timers.pop(key, None)
        else:
            self.evidence.timers[key] = orjson.loads(message.value())["due_at"]

    def _letter(self, message: Any, headers: dict[str, str]) -> None:
        row = Letter(
            headers["dlq_topic"],
            int(headers["dlq_partition"]),
            int(headers["dlq_offset"]),
            headers["dlq_stage"],
            headers["dlq_error"],
            headers["dlq_reason"],
            message.value() or b"",
        )
        self.evidence.letters.append(row)

    def _journal(self, message: Any, headers: dict[str, str]) -> None:
        value = orjson.loads(message.value())
        entries = value["entries"]
        ids, nows = tuple(row["event_id"] for row in entries), tuple(row["now"] for row in entries)
        made = tuple(out["decision"]["decision_id"] for row in entries for out in row["outcome"] if "decision" in out)
        self.evidence.journal.append(Journalled(value["division"], value["sequence"], ids, nows, made))


def _fallbacks(
    decision: Decision, planned: Sequence[Row], channels: ChannelSettings
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the deliveries that may be added once a person's own channels have failed, with those that must have."""
    told = {(row.notice, row.recipient) for row in planned if notice_of(decision, row).audience in PEOPLE}
    for notice, recipient in sorted(told):
        before = [row for row in planned if (row.notice, row.recipient) == (notice, recipient)]
        keys = [row.key for row in before]
        for channel in channels.fallback:
            if channel not in {row.channel for row in before}:
                key = delivery_key(decision.decision_id, notice, recipient, channel)
                yield key, tuple(keys)
                keys.append(key)
