"""Where a reader that joins no group goes on: its kept position, at a first start the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.connecting import until_reachable
from streams.health import Health
from streams.kafka.bounds import bounds
from streams.kafka.cluster import ClusterUnreachable
from streams.stopping import Stop

ASK_SECONDS = 30.0
# No wait mends these; everything else (a coordinator that moves or loads, a leader that is elected) passes.
_REFUSED = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)


@dataclass(frozen=True, slots=True)
class Positions:
    """The next offset of each partition. fresh: those that nobody had kept, or whose records are gone."""

    all: list[TopicPartition]
    fresh: list[TopicPartition]


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
