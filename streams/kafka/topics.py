"""The topics on a cluster: make them, compare them with what is needed, mend their settings."""

import time
from collections.abc import Collection, Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from schemas.topics import PARTITIONS, TOPICS, KeyedBy
from streams.errors import Fatal
from streams.kafka.cluster import ADMIN_SECONDS, ClusterUnreachable, read_cluster, unanswered
from streams.kafka.config import ClusterSettings, admin_config, qualified
from streams.kafka.finding import Finding, Severity, findings
from streams.kafka.layout import replication, topic_config

CREATED_SECONDS = 30.0


class ClusterUnsafe(Fatal):
    """The cluster is set up in a way that could lose data. `leadstream doctor` says what to do."""


def create(settings: ClusterSettings, partitions: Mapping[KeyedBy, int] = PARTITIONS) -> tuple[str, ...]:
    """Make all topics that are not there and return their full names, once each has its leaders.

    partitions: count per key, fixed for ever. Existing topics are left as they are: `check` judges, `repair` mends.
    Raises ClusterUnreachable, ClusterUnsafe (the cluster refused one).
    """
    admin = AdminClient(admin_config(settings))
    try:
        brokers = len(admin.list_topics(timeout=ADMIN_SECONDS).brokers)
    except KafkaException as error:
        raise unanswered(settings, error) from error
    wanted = [
        NewTopic(
            qualified(settings.namespace, topic.name),
            num_partitions=partitions[topic.keyed_by],
            replication_factor=replication(brokers),
            config=topic_config(topic, brokers),
        )
        for topic in TOPICS.values()
    ]
    made = []
    for name, future in admin.create_topics(wanted, operation_timeout=ADMIN_SECONDS).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ClusterUnsafe(f"The cluster refused topic {name}: {error.args[0].str()}.") from error
        else:
            made.append(name)
    _wait_for_leaders(admin, made)
    return tuple(made)


def check(
    settings: ClusterSettings,
    names: Collection[str] = tuple(TOPICS),
    partitions: Mapping[KeyedBy, int] | None = None,
) -> tuple[Finding, ...]:
    """Return what on the live cluster could lose, double or reorder data, worst first; nothing is changed.

    names: logical topics to look at (a stage looks at its own). partitions: counts that must be; None: any, but
    equal where topics are keyed alike. Raises ClusterUnreachable.
    """
    full = [qualified(settings.namespace, name) for name in names]
    return findings(read_cluster(settings, full), settings.namespace, names, partitions)


def require_safe(settings: ClusterSettings, names: Collection[str] = tuple(TOPICS)) -> tuple[Finding, ...]:
    """Return the findings below ERROR, for the log. Raises ClusterUnsafe if there is an ERROR, ClusterUnreachable."""
    found = check(settings, names)
    if errors := [finding for finding in found if finding.severity is Severity.ERROR]:
        raise ClusterUnsafe("\n".join(f"{error.what} {error.remedy}" for error in errors))
    return found


def repair(settings: ClusterSettings, names: Collection[str] = tuple(TOPICS)) -> None:
    """Give existing topics the settings of `layout.topic_config`. Counts and replicas can't be mended so.

    Raises ClusterUnreachable, ClusterUnsafe (the cluster refused).
    """
    full = {qualified(settings.namespace, name): TOPICS[name] for name in names}
    cluster = read_cluster(settings, tuple(full))
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
                for setting, value in topic_config(full[name], len(cluster.brokers)).items()
            ],
        )
        for name in full
        if name in cluster.topics
    ]
    admin = AdminClient(admin_config(settings))  # held: its futures fail when it is collected
    for resource, future in admin.incremental_alter_configs(resources).items():
        try:
            future.result()
        except KafkaException as error:
            raise ClusterUnsafe(f"The cluster refused to change {resource.name}: {error.args[0].str()}.") from error


def delete(settings: ClusterSettings) -> None:
    """Remove all topics of the namespace, with their records. For namespaces that are done with: tests, demos."""
    admin = AdminClient(admin_config(settings))
    ours = {qualified(settings.namespace, name) for name in TOPICS}
    present = sorted(ours & admin.list_topics(timeout=ADMIN_SECONDS).topics.keys())
    for future in admin.delete_topics(present, operation_timeout=ADMIN_SECONDS).values() if present else ():
        future.result()


def _wait_for_leaders(admin: AdminClient, names: Collection[str]) -> None:
    deadline = time.monotonic() + CREATED_SECONDS
    waiting = set(names)
    while waiting:
        topics = admin.list_topics(timeout=ADMIN_SECONDS).topics
        waiting = {name for name in waiting if not _has_leaders(topics, name)}
        if waiting and time.monotonic() > deadline:
            raise ClusterUnreachable(f"No leader after {CREATED_SECONDS:.0f} s: {', '.join(sorted(waiting))}.")


def _has_leaders(topics: Mapping[str, object], name: str) -> bool:
    partitions = getattr(topics.get(name), "partitions", {})
    return bool(partitions) and all(partition.leader >= 0 for partition in partitions.values())
