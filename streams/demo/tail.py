"""Following the demo's topics as any outside service would: read_committed, from their beginning."""

from datetime import UTC, datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.decision import Decision
from schemas.delivery import NoticeSettled
from streams.demo.watched import Watched
from streams.kafka.cluster import ADMIN_SECONDS
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config

_TOPICS = ("leads.assigned", "leads.notified", "leads.dlq")


class Tail:
    """Folds new records into `Watched`. `close` it."""

    def __init__(self, cluster: ClusterSettings) -> None:
        self._consumer = Consumer(table_consumer_config(cluster))
        self._names = {qualified(cluster.namespace, topic): topic for topic in _TOPICS}
        known = self._consumer.list_topics(timeout=ADMIN_SECONDS).topics
        self._consumer.assign(
            [TopicPartition(name, n, OFFSET_BEGINNING) for name in self._names for n in known[name].partitions]
        )

    def read(self, watched: Watched, seconds: float) -> None:
        """Take in what there is, waiting `seconds` at most."""
        for message in self._consumer.consume(500, seconds):
            error = message.error()
            if error is None:
                self._take(watched, message)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)

    def close(self) -> None:
        self._consumer.close()

    def _take(self, watched: Watched, message: Message) -> None:
        value = message.value() or b""
        match self._names[message.topic() or ""]:
            case "leads.assigned":
                at = datetime.fromtimestamp(message.timestamp()[1] / 1_000, UTC)
                watched.decided(Decision.model_validate_json(value), at)
            case "leads.notified":
                watched.settled(NoticeSettled.model_validate_json(value))
            case _:
                watched.dead_letters += 1
