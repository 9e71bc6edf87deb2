"""Clusters that could lose data, larger than a test machine can start."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from schemas.topics import TOPICS
from streams.kafka.cluster import Cluster, LiveTopic, Partition
from streams.kafka.finding import Finding, Severity, findings
from streams.kafka.layout import topic_config

NODE = {"transaction.partition.verification.enable": "true", "offsets.retention.minutes": "43200"}
NAMES = ("leads.raw", "leads.timers", "state.score", "leads.enriched")


def sound(brokers: int) -> Cluster:
    """Return a cluster on which everything is as `leadstream topics create` makes it."""
    full = Partition(min(3, brokers), min(3, brokers), True)
    topics = {name: LiveTopic((full, full), topic_config(TOPICS[name], brokers)) for name in NAMES}
    return Cluster(dict.fromkeys(range(brokers), NODE), topics)


def judged(cluster: Cluster) -> tuple[Finding, ...]:
    return findings(cluster, "", NAMES, None)


def with_node(cluster: Cluster, config: Mapping[str, str]) -> Cluster:
    return replace(cluster, brokers={**cluster.brokers, 0: {**NODE, **config}})


def with_topic(cluster: Cluster, name: str, topic: LiveTopic) -> Cluster:
    return replace(cluster, topics={**cluster.topics, name: topic})


def test_a_sound_cluster_of_three_gives_nothing_to_do() -> None:
    assert judged(sound(3)) == ()


def test_one_node_is_worth_a_note_only() -> None:
    assert [finding.severity for finding in judged(sound(1))] == [Severity.NOTE]


@pytest.mark.parametrize(
    ("config", "severity", "what"),
    [
        ({"transaction.partition.verification.enable": "false"}, Severity.ERROR, "a transaction can hang"),
        ({"auto.create.topics.enable": "true"}, Severity.WARNING, "mistyped topic"),
        ({"transaction.max.timeout.ms": "5000"}, Severity.ERROR, "no stage starts"),
        ({"group.min.session.timeout.ms": "30000"}, Severity.ERROR, "no stage joins"),
        ({"group.max.session.timeout.ms": "5000"}, Severity.ERROR, "no stage joins"),
        ({"offsets.retention.minutes": "10080"}, Severity.WARNING, "forgets where it was"),
        ({"transaction.state.log.min.isr": "1"}, Severity.ERROR, "commits are lost"),
        ({"offsets.topic.replication.factor": "1"}, Severity.ERROR, "commits are lost"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_dangerous_broker_setting_is_named(config: dict[str, str], severity: Severity, what: str) -> None:
    (finding,) = judged(with_node(sound(3), config))
    assert finding.severity is severity and what in finding.what and "Broker 0" in finding.what
    assert next(iter(config)) in finding.remedy


def test_a_broker_too_old_for_safe_transactions_is_named() -> None:
    old = replace(sound(3), brokers={**sound(3).brokers, 0: {"offsets.retention.minutes": "43200"}})
    assert [finding.what for finding in judged(old)] == [
        "Broker 0 is older than Apache Kafka 3.6, or hides its settings: transactions can hang there."
    ]


def test_commits_on_one_replica_of_many_are_named() -> None:
    lonely = with_topic(sound(3), "__transaction_state", LiveTopic((Partition(1, 1, True),), {}))
    assert "__transaction_state" in judged(lonely)[0].what


def test_an_acknowledgement_of_one_node_is_refused_on_three() -> None:
    topic = sound(3).topics["leads.raw"]
    weak = LiveTopic(topic.partitions, {**topic.config, "min.insync.replicas": "1"})
    (finding,) = judged(with_topic(sound(3), "leads.raw", weak))
    assert finding.severity is Severity.ERROR and "min.insync.replicas=1" in finding.what


@pytest.mark.parametrize(
    ("partition", "severity", "what"),
    [
        (Partition(3, 3, False), Severity.ERROR, "1 partitions have no leader"),
        (Partition(3, 1, True), Severity.ERROR, "1 too few replicas in sync"),
        (Partition(2, 2, True), Severity.WARNING, "2 replicas on a cluster of 3"),
        (Partition(1, 1, True), Severity.ERROR, "1 replicas on a cluster of 3"),
    ],
    ids=["no leader", "too few in sync", "two replicas", "one replica"],
)
def test_a_partition_at_risk_is_named(partition: Partition, severity: Severity, what: str) -> None:
    topic = sound(3).topics["leads.raw"]
    found = judged(with_topic(sound(3), "leads.raw", replace(topic, partitions=(topic.partitions[0], partition))))
    assert any(finding.severity is severity and what in finding.what for finding in found)


def test_errors_come_before_warnings() -> None:
    found = judged(with_node(sound(1), {"auto.create.topics.enable": "true", "transaction.max.timeout.ms": "1"}))
    assert [finding.severity for finding in found] == [Severity.ERROR, Severity.WARNING, Severity.NOTE]
