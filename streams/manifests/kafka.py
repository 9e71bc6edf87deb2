"""Strimzi's custom resources: a KafkaTopic each topic, a KafkaUser each process with the rights of `streams.access`."""

from typing import Any

from schemas.topics import PARTITIONS, TOPICS, Topic
from streams.access import ACCESS, Access, Resource, Right, rights
from streams.kafka.config import qualified
from streams.kafka.layout import replication, topic_config

API = "kafka.strimzi.io/v1"
BROKERS = 3


def topic_resources(cluster: str, namespace: str, brokers: int = BROKERS) -> list[dict[str, Any]]:
    """Return a KafkaTopic for each topic. cluster: Strimzi's name of it. namespace: leadstream's prefix, or empty."""
    return [_topic(topic, cluster, namespace, brokers) for topic in TOPICS.values()]


def user_resources(cluster: str, namespace: str) -> list[dict[str, Any]]:
    """Return a KafkaUser for each process, logging in by TLS certificate, allowed what it needs and no more."""
    return [_user(access, cluster, namespace) for access in ACCESS.values()]


def _topic(topic: Topic, cluster: str, namespace: str, brokers: int) -> dict[str, Any]:
    full = qualified(namespace, topic.name)
    return {
        "apiVersion": API,
        "kind": "KafkaTopic",
        "metadata": {"name": full, "labels": {"strimzi.io/cluster": cluster}},
        "spec": {
            "topicName": full,
            "partitions": PARTITIONS[topic.keyed_by],
            "replicas": replication(brokers),
            "config": topic_config(topic, brokers),
        },
    }


def _user(access: Access, cluster: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "KafkaUser",
        "metadata": {"name": f"leadstream-{access.name}", "labels": {"strimzi.io/cluster": cluster}},
        "spec": {
            "authentication": {"type": "tls"},
            "authorization": {"type": "simple", "acls": [_acl(right) for right in rights(access, namespace)]},
        },
    }


def _acl(right: Right) -> dict[str, Any]:
    resource: dict[str, Any] = {"type": right.resource.value}
    if right.resource is not Resource.CLUSTER:  # there is one cluster, and it has no name here
        resource |= {"name": right.name, "patternType": "prefix" if right.is_prefix else "literal"}
    return {"resource": resource, "operations": list(right.operations), "host": "*"}
