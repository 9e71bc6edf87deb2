"""A record as Kafka gave it."""

import time
from collections.abc import Callable
from typing import Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException

from streams.errors import Fatal, Fenced


class Incoming(Protocol):
    """A `confluent_kafka.Message` from a consumer, whose topic, partition and offset are always there."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...
    def timestamp(self) -> tuple[int, int]: ...
    def error(self) -> KafkaError | None: ...


def received(consumer: Consumer, limit: int, seconds: float) -> list[Incoming]:
    """Return what came within `seconds`, error messages included. Raises TransactionFailed or SlotTaken."""
    try:
        return cast(list[Incoming], consumer.consume(limit, seconds))
    except KafkaException as error:
        raise failure(error.args[0], "reading") from error


def _never() -> int:
    return 0


def arrived(
    consumer: Consumer,
    limit: int,
    seconds: float,
    gather_until: float = 0,
    generation: Callable[[], int] = _never,
) -> list[Incoming]:
    """Return what is here, as soon as there is anything; wait at most `seconds` for that. Raises as `received`.

    gather_until: wait until then (monotonic) for more once there is something. generation: changes with the assignment.
    Where that happens while more is read, the first record is dropped: its partition is read from the committed offset
    again, by us or by another. (librdkafka drops such ones itself within one call; this is a second one.)

    `consume` waits its whole time unless `limit` records come, and a short time makes an idle process turn for
    nothing: a first record was in hand after 7 ms with it, after 3 ms so, at half of the CPU time (decision 0060).
    """
    try:
        first = consumer.poll(seconds)
    except KafkaException as error:
        raise failure(error.args[0], "reading") from error
    if first is None:
        return []
    if limit <= 1:
        return [cast(Incoming, first)]
    before = generation()
    more = received(consumer, limit - 1, max(0.0, gather_until - time.monotonic()) if gather_until else 0)
    return [cast(Incoming, first), *more] if generation() == before else more


_FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError._FATAL,  # a fenced static member hears of it so, with `fatal()` false
    }
)


class KafkaFailed(Fatal):
    """Kafka did not do what it was asked, or did not say whether it did. A restart goes on from what was committed."""


class SlotTaken(Fenced):
    """Another process has this slot, or the group has moved on without it."""


def failure(error: KafkaError, what: str) -> KafkaFailed | SlotTaken:
    """Return the error that ends the process after `error`, which happened while we were `what`."""
    said = f"{error.name()}: {error.str()}"
    if error.code() in _FENCED:
        return SlotTaken(f"Another process has this slot, or the group went on without it ({what}: {said}).")
    return KafkaFailed(f"Kafka failed while {what} ({said}). A restart goes on from what was committed.")
