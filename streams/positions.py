"""Where a reader that joins no group goes on: its kept position, at a first start the end."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.connecting import until_reachable
from streams.health import Health
from streams.inbox import Spot
from streams.kafka.bounds import bounds
from streams.kafka.cluster import ClusterUnreachable
from streams.stopping import Stop

ASK_SECONDS = 30.0
ALL_SECONDS = 3_600.0
AGAIN_SECONDS = 2.0
# No wait mends these; everything else (a coordinator that moves or loads, a leader that is elected) passes.
_REFUSED = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)


@dataclass(frozen=True, slots=True)
class Positions:
    """The next offset of each partition. fresh: those that nobody had kept, or whose records are gone."""

    all: list[TopicPartition]
    fresh: list[TopicPartition]


class Keeping:
    """Which positions a reader is to commit now: those that moved, and every hour all.

    Kafka forgets the position of a group without members `offsets.retention.minutes` (7 days by default) after it was
    committed: that of a partition without records would be gone, and what came during the next restart passed over.
    """

    def __init__(self, starts: Sequence[TopicPartition], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reached: dict[Spot, int] = {(one.topic, one.partition): one.offset for one in starts}
        self._unkept = set(self._reached)
        self._monotonic = monotonic
        self._all_at = monotonic() + ALL_SECONDS
        self._not_before = 0.0

    def reached(self, next_offsets: Mapping[Spot, int]) -> None:
        """Take down how far was read and handled."""
        self._reached.update(next_offsets)
        self._unkept.update(next_offsets)

    def due(self) -> list[TopicPartition]:
        """Return what is to be committed now; nothing for AGAIN_SECONDS after it `failed`."""
        now = self._monotonic()
        if now >= self._all_at:
            self._all_at = now + ALL_SECONDS
            self._unkept.update(self._reached)
        if now < self._not_before:
            return []
        return [TopicPartition(*spot, self._reached[spot]) for spot in sorted(self._unkept)]

    def kept(self) -> None:
        """What was due is committed."""
        self._unkept.clear()

    def failed(self) -> None:
        """What was due is not committed: it stays due."""
        self._not_before = self._monotonic() + AGAIN_SECONDS


def positions(consumer: Consumer, topics: Sequence[str], stage: str, stop: Stop, health: Health) -> Positions:
    """Return where to go on in `topics` (full names), asked again while Kafka can't say.

    Raises Stopped where the process is asked to end first, KafkaException where the right to ask is missing.
    """
    found: list[Positions] = []

    def ask() -> None:
        try:
            found.append(_asked(consumer, topics))
        except KafkaException as error:
            if error.args[0].code() in _REFUSED:
                raise
            raise ClusterUnreachable(f"Kafka did not say where to read ({error.args[0].str()}).") from error

    until_reachable(ask, stage, stop, health)
    return found[0]


def _asked(consumer: Consumer, topics: Sequence[str]) -> Positions:
    places: list[TopicPartition] = []
    for name in topics:
        known = consumer.list_topics(name, timeout=ASK_SECONDS).topics[name]
        if known.error is not None:
            raise KafkaException(known.error)
        places += [TopicPartition(name, number) for number in known.partitions]
    found = consumer.committed(places, timeout=ASK_SECONDS)
    fresh = []
    for one in found:
        low, high = bounds(consumer, one)
        if not low <= one.offset <= high:
            one.offset = high if one.offset < 0 else low
            fresh.append(one)
    return Positions(found, fresh)
