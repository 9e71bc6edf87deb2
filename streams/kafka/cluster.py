"""A cluster as it is: its nodes, their settings, its topics. Read once, then judged as a value."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType, TopicMetadata

from streams.errors import Retryable
from streams.kafka.config import ClusterSettings, LibrdkafkaConfig, admin_config

ADMIN_SECONDS = 10.0
PROBE_SECONDS = 2.0


class ClusterUnreachable(Retryable):
    """The Kafka cluster did not answer. Check the address, the network and the broker's log."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: how many replicas it has, how many are in sync, whether one leads."""

    replicas: int
    in_sync: int
    has_leader: bool


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """One topic as it is. config: setting -> value in force; empty for Kafka's own topics."""

    partitions: tuple[Partition, ...]
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """brokers: node id -> its settings in force. topics: full name -> what it is; absent ones are not there."""

    brokers: Mapping[int, Mapping[str, str]]
    topics: Mapping[str, LiveTopic]


def probe(settings: ClusterSettings, more: LibrdkafkaConfig) -> None:
    """Return if a broker answers within PROBE_SECONDS; more: settings of the client beside ours.

    Raises ClusterUnreachable with what the client heard on its way: of a wrong password, certificate or protocol the
    call itself says only that the transport failed.
    """
    heard: list[KafkaError] = []
    asker = AdminClient(admin_config(settings) | more | {"error_cb": heard.append})
    try:
        asker.list_topics(timeout=PROBE_SECONDS)
    except KafkaException as error:
        asker.poll(0)
        told = [one for one in heard if one.code() != KafkaError._ALL_BROKERS_DOWN]
        raise _unreachable(settings, told[-1] if told else error.args[0]) from error


def unanswered(settings: ClusterSettings, error: KafkaException) -> ClusterUnreachable:
    """Return what to raise where the cluster did not answer: it is asked once more to hear why."""
    try:
        probe(settings, {})
    except ClusterUnreachable as told:
        return told
    return _unreachable(settings, error.args[0])


def _unreachable(settings: ClusterSettings, why: KafkaError) -> ClusterUnreachable:
    return ClusterUnreachable(
        f"The Kafka cluster at {settings.bootstrap} did not answer ({why.str()}). Check the address, the network, "
        "LEADSTREAM_SECURITY_PROTOCOL and what goes with it, and the broker's log."
    )


INTERNAL = ("__consumer_offsets", "__transaction_state")


def read_cluster(settings: ClusterSettings, names: Collection[str]) -> Cluster:
    """Return the cluster's nodes, and those of the topics `names` (full names) and of Kafka's own that exist.

    Takes 10 s at most a request. Raises ClusterUnreachable.
    """
    admin = AdminClient(admin_config(settings))
    try:
        metadata = admin.list_topics(timeout=ADMIN_SECONDS)
        present = [name for name in names if name in metadata.topics]
        brokers = _configs(admin, ResourceType.BROKER, [str(node) for node in metadata.brokers])
        configs = _configs(admin, ResourceType.TOPIC, present)
    except KafkaException as error:
        raise unanswered(settings, error) from error
    shown = [*present, *(name for name in INTERNAL if name in metadata.topics)]
    return Cluster(
        {int(node): config for node, config in brokers.items()},
        {name: LiveTopic(_partitions(metadata.topics[name]), configs.get(name, {})) for name in shown},
    )


def _partitions(topic: TopicMetadata) -> tuple[Partition, ...]:
    return tuple(
        Partition(len(partition.replicas), len(partition.isrs), partition.leader >= 0)
        for _, partition in sorted(topic.partitions.items())
    )


def _configs(admin: AdminClient, kind: ResourceType, names: Collection[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    futures = admin.describe_configs([ConfigResource(kind, name) for name in names], request_timeout=ADMIN_SECONDS)
    return {
        resource.name: {name: entry.value for name, entry in future.result().items() if entry.value is not None}
        for resource, future in futures.items()
    }
