"""From Kafka's messages to events: decoded once, unreadable ones set aside, held partitions left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from confluent_kafka import KafkaError

from schemas.poison import Poison
from schemas.topics import TOPICS, Topic
from schemas.wire import NewerSchema, Parser, decode, said_version
from streams.kafka.config import qualified
from streams.message import Incoming, failure
from streams.stage import Event

NO_PARSERS: Mapping[str, Parser] = MappingProxyType({})
ID_MAX_LENGTH = 200  # of ids that others give: they go into keys of the outputs' ids and into headers

Spot = tuple[str, int]
"""A full topic name and a partition."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A message for the dead-letter topic. error: class name. reason: plain words, no personal data."""

    message: Incoming
    error: str
    reason: str
    attempts: int = 1


@dataclass(slots=True)
class Batch:
    """What one `consume` gave.

    events and messages go together. next_offsets: what a commit of this batch says, by spot. newer: spots at a
    record whose schema this build does not know yet, with the record's offset; nothing from there on is in here.
    began_ns: when its first look-up was begun ahead of its turn, since 1970; 0: in its turn.
    """

    events: list[Event] = field(default_factory=list)
    messages: list[Incoming] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    first_offsets: dict[Spot, int] = field(default_factory=dict)
    next_offsets: dict[Spot, int] = field(default_factory=dict)
    newer: dict[Spot, int] = field(default_factory=dict)
    began_ns: int = 0

    def __len__(self) -> int:
        return len(self.events) + len(self.set_aside)

    def add(self, later: "Batch") -> None:
        """Take in what was read after it."""
        self.events += later.events
        self.messages += later.messages
        self.set_aside += later.set_aside
        self.first_offsets = {**later.first_offsets, **self.first_offsets}
        self.next_offsets.update(later.next_offsets)
        self.newer.update(later.newer)
        self.began_ns = self.began_ns or later.began_ns


class Inbox:
    """Reads the messages of one stage's inputs. parsers: by type, where the stage wants less than the whole."""

    def __init__(self, namespace: str, inputs: Sequence[str], parsers: Mapping[str, Parser] = NO_PARSERS) -> None:
        self._parsers = parsers
        self._topics: dict[str, Topic] = {qualified(namespace, name): TOPICS[name] for name in inputs}
        self._types = {name: frozenset(topic.types) for name, topic in self._topics.items()}
        self._held: set[Spot] = set()

    def release(self) -> None:
        """Forget which partitions are held: after a rebalance all are read anew."""
        self._held.clear()

    def held_partitions(self, topic: str) -> int:
        """Return how many partitions of `topic` (full name) are held."""
        return sum(name == topic for name, _ in self._held)

    def open(self, messages: Sequence[Incoming]) -> Batch:
        """Return the batch. Raises Fenced or Fatal on any error message but the end of a partition."""
        batch = Batch()
        held = self._held
        first, nexts = batch.first_offsets, batch.next_offsets
        for message in messages:
            if (error := message.error()) is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    continue
                raise failure(error, "reading")
            name, partition, offset = message.topic(), message.partition(), message.offset()
            spot = (name, partition)
            if spot in held:
                continue
            try:
                event = self._event(message, self._topics[name], partition, offset)
            except Poison as poison:
                batch.set_aside.append(SetAside(message, "Poison", poison.reason))
            except NewerSchema as newer:
                if self._topics[name].ours:
                    held.add(spot)
                    batch.newer[spot] = offset
                    continue
                batch.set_aside.append(SetAside(message, "NewerSchema", str(newer)))
            else:
                batch.events.append(event)
                batch.messages.append(message)
            if spot not in first:
                first[spot] = offset
            nexts[spot] = offset + 1
        return batch

    def _event(self, message: Incoming, topic: Topic, partition: int, offset: int) -> Event:
        given = message.headers()
        headers = _texts(given) if given else {}
        event_type = headers.get("ce_type") or topic.types[0]
        if event_type not in topic.types:
            raise Poison(f"type {event_type[:60]!r} has no place on {topic.name}")
        version = _version(headers)
        value = message.value()
        if value is None and topic.retention_seconds is not None:
            raise Poison(f"it has no value: only keys of a table are removed so, and {topic.name} is a log")
        event_id = headers.get("ce_id")
        if not event_id or len(event_id) > ID_MAX_LENGTH:
            event_id = f"{topic.name}/{partition}/{offset}"
        key = message.key()
        return Event(
            event_id,
            event_type,
            topic.name,
            partition,
            offset,
            "" if key is None else _text(key),
            decode(event_type, version, value, self._parsers.get(event_type)),
            datetime.fromtimestamp(message.timestamp()[1] / 1_000, UTC),
            headers,
            value,
        )


def _version(headers: Mapping[str, str]) -> int:
    said = headers.get("ce_schemaversion", "1")
    return 1 if said == "1" else said_version(said)


def _texts(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    try:
        return {name: value.decode() for name, value in headers}  # type: ignore[union-attr]  # None: see below
    except (UnicodeDecodeError, AttributeError):
        return {name: _text(value) for name, value in headers}


def _text(value: bytes | str | None) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return value or ""
