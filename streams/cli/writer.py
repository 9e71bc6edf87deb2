"""Writing records from a command: acknowledged, or told which was not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import KafkaError, Message, Producer

from schemas.wire import headers_for
from streams.cli.records import partitions_of
from streams.errors import Retryable
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified
from streams.quantity import counted

_FLUSH_SECONDS = 60.0
SOURCE = "leadstream/cli"


class NotWritten(Retryable):
    """Kafka did not acknowledge all records. Run the command again: records keep their ids, none counts twice."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write. id: its `ce_id`. value None: a tombstone."""

    id: str
    topic: str
    key: str
    type: str
    value: bytes | None


def write(settings: ClusterSettings, records: Iterable[Outgoing], delivered: Callable[[], None] = lambda: None) -> int:
    """Return how many records were written, once all are acknowledged. delivered: called at each acknowledgement.

    `records` may be lazy: no more wait in memory than the client's queue holds. A topic that is not there, or a broker
    that does not answer, is told before the first record. Raises NotWritten, and as `records.partitions_of`.
    """
    producer = Producer(plain_producer_config(settings) | {"linger.ms": 20})
    failed: list[KafkaError] = []
    done = 0

    def report(error: KafkaError | None, _message: Message) -> None:
        nonlocal done
        if error is not None:
            failed.append(error)
            return
        done += 1
        delivered()

    asked: set[str] = set()
    for record in records:
        if record.topic not in asked:
            asked.add(record.topic)
            partitions_of(producer, settings, record.topic)
        _produce(producer, settings, record, report)
        producer.poll(0)
        if failed:
            break
    waiting = producer.flush(_FLUSH_SECONDS)
    if failed or waiting:
        why = failed[0].str() if failed else f"{waiting} still wait after {_FLUSH_SECONDS:.0f} s"
        fix = "Run the command again: records keep their ids, none counts twice."
        raise NotWritten(f"{counted(done, 'record')} acknowledged, then Kafka did not take one: {why}. {fix}")
    return done


def _produce(
    producer: Producer,
    settings: ClusterSettings,
    record: Outgoing,
    report: Callable[[KafkaError | None, Message], None],
) -> None:
    at = datetime.now(UTC)
    while True:
        try:
            producer.produce(
                qualified(settings.namespace, record.topic),
                key=record.key.encode(),
                value=record.value,
                headers=dict(headers_for(record.id, record.type, SOURCE, at, {})),
                on_delivery=report,
            )
            return
        except BufferError:  # the client's queue is full: let acknowledgements come in
            producer.poll(0.5)
