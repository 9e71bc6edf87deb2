"""The first and the next offset of a partition, asked again while the partition has no leader that answers."""

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

ASK_SECONDS = 60.0

# Pass by themselves: a topic made a moment ago, a leader that moves.
_LEADERLESS = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError._UNKNOWN_PARTITION,  # this client's metadata is older than the partition
    }
)
LEADERLESS_SECONDS = 10.0


def bounds(asker: Consumer, spot: TopicPartition, patience_seconds: float = LEADERLESS_SECONDS) -> tuple[int, int]:
    """Return (first, next) offset of `spot` as the broker says now, next as `asker`'s isolation level sees it.

    Asks again for `patience_seconds` while nobody leads the partition. Raises KafkaException.
    """
    asking = Retrying(
        retry=retry_if_exception(_is_leaderless),
        wait=wait_random_exponential(multiplier=0.05, max=1.0),
        stop=stop_after_delay(patience_seconds),
        reraise=True,
    )
    return asking(asker.get_watermark_offsets, spot, timeout=ASK_SECONDS, cached=False)


def _is_leaderless(error: BaseException) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() in _LEADERLESS
