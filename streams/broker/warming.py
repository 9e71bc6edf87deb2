"""Make the archive of Kafka's classes: run a broker once, with the requests that every use of one begins with."""

import tempfile
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.topics import PARTITIONS
from streams.broker import archive, embedded, jars
from streams.errors import Fatal
from streams.kafka import topics
from streams.kafka.config import ClusterSettings, consumer_config, producer_config, qualified

ASSEMBLY_SECONDS = 180.0
_GROUP = "warming"
_READ_SECONDS = 30.0


class ArchiveNotMade(Fatal):
    """The JVM wrote no archive of Kafka's classes that it would take. A broker starts without one all the same."""


def warm(cache_dir: Path | None = None) -> Path | None:
    """Return the archive, made now unless a usable one is there: half a minute of work. None: this JDK makes none.

    Several at once may make it, and the last one stands; it appears whole or not at all.
    Raises what `embedded.start` raises, and ArchiveNotMade.
    """
    if not archive.is_supported():
        return None
    cache_dir = cache_dir or jars.default_cache_dir()
    java = embedded.java_command(cache_dir)
    made = archive.path(cache_dir)
    if archive.is_usable(java, made):
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=made.parent) as folder:
        output = Path(folder) / made.name
        broker = embedded.start_recording(Path(folder) / "broker", cache_dir, output)
        try:
            exercise(broker.bootstrap)
        finally:
            broker.stop(ASSEMBLY_SECONDS)
        if not archive.is_usable(java, output):
            raise ArchiveNotMade()
        output.replace(made)
    for other in set(made.parent.glob(f"*{made.suffix}")) - {made}:  # of versions before: 70 MB each
        other.unlink(missing_ok=True)
    return made


def exercise(bootstrap: str) -> None:
    """Make the topics, commit a transaction, read it in a group: what a broker does for every user of it."""
    settings = ClusterSettings(bootstrap=bootstrap, namespace="warming")
    topics.create(settings, dict.fromkeys(PARTITIONS, 1))
    topic = qualified(settings.namespace, "leads.raw")
    consumer = Consumer(consumer_config(settings, _GROUP, _GROUP))
    try:
        consumer.subscribe([topic], on_assign=_from_start)
        consumer.poll(_READ_SECONDS / 2)  # joins
        producer = Producer(producer_config(settings, _GROUP))
        producer.init_transactions(_READ_SECONDS)
        producer.begin_transaction()
        producer.produce(topic, b"{}", "warming")
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, 1)], consumer.consumer_group_metadata())
        producer.commit_transaction(_READ_SECONDS)
        consumer.poll(_READ_SECONDS)
    finally:
        consumer.close()
    topics.delete(settings)


def _from_start(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    consumer.assign([TopicPartition(one.topic, one.partition, 0) for one in partitions])
