"""What each topic must be on a cluster of a given size. Pure: `streams.kafka.topics` makes and checks it."""

from schemas.topics import DAY_SECONDS, DELETE_RETENTION_SECONDS, Topic
from streams.kafka.config import INPUT_MAX_BYTES, RECORD_MAX_BYTES

DAY_MS = DAY_SECONDS * 1_000
HOUR_MS = 3_600_000
SEGMENT_MAX_BYTES = 64 * 1_048_576

# A batch is a record and its frame. With less than this over what `produce()` lets through, the broker would refuse
# what the client had accepted, and the transaction would abort at each new try.
BATCH_FRAME_BYTES = 65_536


def replication(brokers: int) -> int:
    """Return the replicas of a topic: 3, or as many as there are nodes."""
    return min(3, brokers)


def min_insync_replicas(brokers: int) -> int:
    """Return how many replicas must have a record before it is acknowledged: 2, on one node 1."""
    return min(2, brokers)


def max_message_bytes(topic: Topic) -> int:
    """Return the limit of a batch: what others may write, or what we write at most with its frame."""
    return RECORD_MAX_BYTES + BATCH_FRAME_BYTES if topic.ours else INPUT_MAX_BYTES


def is_stamped_by_broker(topic: Topic) -> bool:
    """Tell whether records get the broker's clock: where strangers write, and old records are removed.

    With the client's, a lead from a machine whose clock is wrong could be past its retention on arrival and vanish.
    """
    return not topic.ours and not topic.is_compacted


def topic_config(topic: Topic, brokers: int) -> dict[str, str]:
    """Return the settings of a topic, as Kafka names them, independent of the cluster's defaults."""
    return {
        "min.insync.replicas": str(min_insync_replicas(brokers)),
        "unclean.leader.election.enable": "false",  # a replica that was behind would drop acknowledged records
        "max.message.bytes": str(max_message_bytes(topic)),
        "message.timestamp.type": "LogAppendTime" if is_stamped_by_broker(topic) else "CreateTime",
        "compression.type": "producer",
        "retention.bytes": "-1",  # by age alone: a surge must not push out what nobody has read yet
    } | (_table_config() if topic.retention_seconds is None else _stream_config(topic.retention_seconds))


def _stream_config(retention_seconds: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_seconds * 1_000),
        # Only whole, closed segments are removed: at the default of 7 d contact data would stay a week too long.
        "segment.ms": str(DAY_MS),
    }


def _table_config() -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        "delete.retention.ms": str(DELETE_RETENTION_SECONDS * 1_000),
        # The open segment is never compacted, and a restore reads all of it.
        "segment.ms": str(HOUR_MS),
        "segment.bytes": str(SEGMENT_MAX_BYTES),
        "min.cleanable.dirty.ratio": "0.2",  # a restore reads at most a quarter more than there are keys
        # A forgotten person's entry is gone after a week even where little else is written.
        "max.compaction.lag.ms": str(7 * DAY_MS),
    }
