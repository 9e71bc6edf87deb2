"""What is wrong with a cluster: everything in it that could lose, double or reorder data, and what to do."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from schemas.topics import DAY_SECONDS, TOPICS, KeyedBy, Topic
from streams.kafka.cluster import Cluster, LiveTopic
from streams.kafka.config import SESSION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS, qualified
from streams.kafka.layout import is_stamped_by_broker, min_insync_replicas, replication, topic_config

# Contact data is in topics kept this long at most.
PERSONAL_RETENTION_SECONDS = 30 * DAY_SECONDS
# Committed offsets must outlive what they point into, or a stage that was down that long doesn't know where it was.
OFFSETS_RETENTION_SECONDS = 14 * DAY_SECONDS


class Severity(StrEnum):
    """ERROR: data can be lost or nothing runs; stages refuse to start. WARNING: someone should act. NOTE: know it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. what: the fact, with the live value. remedy: what to do about it."""

    severity: Severity
    what: str
    remedy: str


def findings(
    cluster: Cluster, namespace: str, names: Collection[str], partitions: Mapping[KeyedBy, int] | None
) -> tuple[Finding, ...]:
    """Return all that is wrong, worst first. names: logical topics. partitions: counts that must be; None: any."""
    found = [*_nodes(cluster), *_missing(cluster, namespace, names), *_counts(cluster, namespace, names, partitions)]
    for name in names:
        if live := cluster.topics.get(qualified(namespace, name)):
            found += _topic(qualified(namespace, name), TOPICS[name], live, len(cluster.brokers))
    return tuple(sorted(found, key=lambda one: list(Severity).index(one.severity)))


def _nodes(cluster: Cluster) -> Iterator[Finding]:
    size = len(cluster.brokers)
    if size == 1:
        yield Finding(
            Severity.NOTE,
            "The cluster has one node: its disk is the only copy.",
            "Fine for a laptop; for leads that matter, use three nodes.",
        )
    for node, config in sorted(cluster.brokers.items()):
        yield from _node(f"Broker {node}", config, size)
    for name in ("__transaction_state", "__consumer_offsets"):
        live = cluster.topics.get(name)
        if live and size > 1 and min((p.replicas for p in live.partitions), default=size) < 2:
            yield Finding(
                Severity.ERROR,
                f"Kafka's own topic {name} has a partition with one replica on a cluster of {size}.",
                "Reassign its partitions to 3 replicas (kafka-reassign-partitions).",
            )


def _node(who: str, config: Mapping[str, str], size: int) -> Iterator[Finding]:
    def number(name: str, default: int) -> int:
        return int(config.get(name, default))

    if "transaction.partition.verification.enable" not in config:
        yield Finding(
            Severity.ERROR,
            f"{who} is older than Apache Kafka 3.6, or hides its settings: transactions can hang there.",
            "Upgrade to Apache Kafka 4, and allow DESCRIBE_CONFIGS on the cluster.",
        )
    elif config["transaction.partition.verification.enable"] != "true":
        yield _setting(who, config, "transaction.partition.verification.enable", "true", "a transaction can hang")
    if config.get("auto.create.topics.enable") == "true":
        yield Finding(
            Severity.WARNING,
            f"{who}: auto.create.topics.enable=true: a mistyped topic takes leads that nobody reads.",
            "Set auto.create.topics.enable=false.",
        )
    if number("transaction.max.timeout.ms", 900_000) < TRANSACTION_TIMEOUT_MS:
        yield _setting(
            who, config, "transaction.max.timeout.ms", f"{TRANSACTION_TIMEOUT_MS} or more", "no stage starts"
        )
    if number("group.min.session.timeout.ms", 6_000) > SESSION_TIMEOUT_MS:
        yield _setting(who, config, "group.min.session.timeout.ms", f"{SESSION_TIMEOUT_MS} or less", "no stage joins")
    if number("group.max.session.timeout.ms", 1_800_000) < SESSION_TIMEOUT_MS:
        yield _setting(who, config, "group.max.session.timeout.ms", f"{SESSION_TIMEOUT_MS} or more", "no stage joins")
    if number("offsets.retention.minutes", 10_080) * 60 < OFFSETS_RETENTION_SECONDS:
        yield Finding(
            Severity.WARNING,
            f"{who}: offsets.retention.minutes={config['offsets.retention.minutes']}: a stage that is down for "
            "longer forgets where it was.",
            f"Set offsets.retention.minutes to {OFFSETS_RETENTION_SECONDS // 60} or more.",
        )
    for name in ("offsets.topic.replication.factor", "transaction.state.log.replication.factor"):
        if size > 1 and number(name, 3) < 2:
            yield _setting(who, config, name, "3", "commits are lost with one node")
    if size > 1 and number("transaction.state.log.min.isr", 2) < 2:
        yield _setting(who, config, "transaction.state.log.min.isr", "2", "commits are lost with one node")


def _setting(who: str, config: Mapping[str, str], name: str, wanted: str, effect: str) -> Finding:
    return Finding(Severity.ERROR, f"{who}: {name}={config.get(name)}: {effect}.", f"Set {name} to {wanted}.")


def _missing(cluster: Cluster, namespace: str, names: Collection[str]) -> Iterator[Finding]:
    gone = [full for name in names if (full := qualified(namespace, name)) not in cluster.topics]
    if not gone:
        return
    all_gone = f"None of the {len(names)} topics is there, {gone[0]} and so on."
    some_gone = f"{len(gone)} of {len(names)} topics missing: {', '.join(gone)}."
    what = all_gone if len(gone) == len(names) > 1 else some_gone
    yield Finding(Severity.ERROR, what, "Run `leadstream topics create`.")


def _counts(
    cluster: Cluster, namespace: str, names: Collection[str], partitions: Mapping[KeyedBy, int] | None
) -> Iterator[Finding]:
    live = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
    for kind in KeyedBy:
        counts: dict[str, int] = {}
        for name in names:
            full = qualified(namespace, name)
            if TOPICS[name].keyed_by is not kind:
                continue
            if full not in live:
                continue
            counts[full] = live[full]
            if partitions and live[full] != partitions[kind]:
                yield Finding(
                    Severity.ERROR,
                    f"Topic {full} has {live[full]} partitions, the settings say {partitions[kind]}.",
                    "Counts are fixed at creation: correct the settings, or move to new topics in a new namespace.",
                )
        if len(set(counts.values())) > 1:
            yield Finding(
                Severity.ERROR,
                f"Topics keyed by {kind} have unequal partition counts: "
                + ", ".join(f"{name} {count}" for name, count in counts.items())
                + ". One slot would not see all records of a key.",
                "Counts are fixed at creation: make new topics in a new namespace, with equal counts.",
            )


def _topic(name: str, topic: Topic, live: LiveTopic, brokers: int) -> Iterator[Finding]:
    yield from _replicas(name, live, brokers)
    wanted = topic_config(topic, brokers)

    def differs(setting: str, why: str) -> Finding:
        value = live.config.get(setting)
        return Finding(
            Severity.ERROR,
            f"Topic {name}: {setting}={value}: {why}.",
            f"Set {setting}={wanted[setting]}: `leadstream topics repair`.",
        )

    if live.config.get("cleanup.policy") != wanted["cleanup.policy"]:
        yield differs("cleanup.policy", "records that are still needed are removed, or a table grows for ever")
    if live.config.get("unclean.leader.election.enable") == "true":
        yield differs("unclean.leader.election.enable", "a replica that was behind can lead and drop records")
    if brokers > 1 and int(live.config.get("min.insync.replicas", 1)) < min_insync_replicas(brokers):
        yield differs("min.insync.replicas", "a record can be acknowledged that only one node has")
    if int(live.config.get("max.message.bytes", 0)) < int(wanted["max.message.bytes"]):
        yield differs("max.message.bytes", "a large record, or a dead letter of one, can't be written")
    if topic.retention_seconds is None:
        if int(live.config.get("delete.retention.ms", 0)) < int(wanted["delete.retention.ms"]):
            yield differs("delete.retention.ms", "a store that returns can miss a removal")
        return
    yield from _retention(name, live, topic.retention_seconds)
    if int(live.config.get("retention.bytes", -1)) != -1:
        yield differs("retention.bytes", "a surge pushes out records that nobody has read")
    if is_stamped_by_broker(topic) and live.config.get("message.timestamp.type") != "LogAppendTime":
        yield differs("message.timestamp.type", "a lead from a machine with a wrong clock can vanish on arrival")


def _retention(name: str, live: LiveTopic, seconds: int) -> Iterator[Finding]:
    milliseconds = int(live.config.get("retention.ms", 0))
    if 0 <= milliseconds < seconds * 1_000:
        yield Finding(
            Severity.ERROR,
            f"Topic {name}: retention.ms={milliseconds}: records go before {seconds // DAY_SECONDS} days.",
            f"Set retention.ms={seconds * 1_000}: `leadstream topics repair`.",
        )
    elif seconds <= PERSONAL_RETENTION_SECONDS and not 0 <= milliseconds <= PERSONAL_RETENTION_SECONDS * 1_000:
        yield Finding(
            Severity.WARNING,
            f"Topic {name}: retention.ms={milliseconds}: contact data stays longer than the 30 days promised.",
            f"Set retention.ms={seconds * 1_000}: `leadstream topics repair`.",
        )


def _replicas(name: str, live: LiveTopic, brokers: int) -> Iterator[Finding]:
    needed = int(live.config.get("min.insync.replicas", 1))
    leaderless = sum(not partition.has_leader for partition in live.partitions)
    stuck = sum(partition.in_sync < needed for partition in live.partitions if partition.has_leader)
    fewest = min((partition.replicas for partition in live.partitions), default=brokers)
    if leaderless or stuck:
        yield Finding(
            Severity.ERROR,
            f"Topic {name}: {leaderless} partitions have no leader, {stuck} too few replicas in sync to be written.",
            "Bring the missing brokers back.",
        )
    if fewest < replication(brokers):
        yield Finding(
            Severity.ERROR if fewest < 2 else Severity.WARNING,
            f"Topic {name} has partitions with {fewest} replicas on a cluster of {brokers}.",
            f"Reassign its partitions to {replication(brokers)} replicas (kafka-reassign-partitions).",
        )
