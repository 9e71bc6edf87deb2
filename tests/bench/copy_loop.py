"""The yardstick: a bare confluent-kafka loop that copies records, one transaction a batch. Nothing of leadstream.

`python -m tests.bench.copy_loop BOOTSTRAP GROUP SOURCE TARGET` runs until SIGTERM.
"""

import signal
import sys
from types import FrameType

from confluent_kafka import Consumer, Message, Producer, TopicPartition

BATCH = 500
POLL_SECONDS = 0.005


def _consumer(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.instance.id": group,
            "partition.assignment.strategy": "range",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "queued.max.messages.kbytes": 4096,
            "fetch.queue.backoff.ms": 5,
        }
    )


def _producer(bootstrap: str, group: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": group,
            "linger.ms": 0,
            "retry.backoff.ms": 1,
            "retry.backoff.max.ms": 5,
            "acks": "all",
            "compression.type": "lz4",
        }
    )


def _copy(consumer: Consumer, producer: Producer, batch: list[Message], target: str) -> None:
    offsets: dict[tuple[str, int], int] = {}
    producer.begin_transaction()
    for message in batch:
        producer.produce(target, message.value(), message.key(), headers=message.headers() or [])
        offsets[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
    producer.send_offsets_to_transaction(
        [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()],
        consumer.consumer_group_metadata(),
    )
    producer.commit_transaction(-1)


def main(bootstrap: str, group: str, source: str, target: str) -> None:
    """Copy `source` to `target` until SIGTERM."""
    running = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    consumer, producer = _consumer(bootstrap, group), _producer(bootstrap, group)
    producer.init_transactions()
    consumer.subscribe([source])
    while running:
        batch = [message for message in consumer.consume(BATCH, POLL_SECONDS) if message.error() is None]
        if batch:
            _copy(consumer, producer, batch, target)
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:5])
