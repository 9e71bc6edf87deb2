"""What each process may do on Kafka, and no more: from who reads and writes each topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from schemas.topics import TOPICS
from streams.kafka.config import qualified
from streams.onward import PATH


@dataclass(frozen=True, slots=True)
class Access:
    """Rights of one process. Topics, groups and the prefix of transactional ids are logical names.

    reads, writes: topics. groups: consumer groups it joins; groups_called: how the names of further ones start.
    asks: groups whose committed offsets it asks for.
    transactional: how the ids of its transactions start, empty where it has none.
    manages: whether it makes and mends topics.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    groups: tuple[str, ...] = ()
    groups_called: str = ""
    asks: tuple[str, ...] = ()
    transactional: str = ""
    manages: bool = False


# Consumers that are assigned partitions by hand name a group and never join it: librdkafka looks for it all the same.
UNUSED_GROUP = "unused"

# What a stage reads, tables included; that it keeps state adds its changelog.
_READS: Mapping[str, tuple[str, ...]] = {
    "enrich": ("leads.raw", "leads.bulk", "accounts"),
    "pending": ("leads.pending", "accounts"),
    "track": ("leads.activity", "reps", "leads.notified", "xref"),
    "score": ("leads.enriched", "policies", "reps"),
    "assign": ("leads.scored", "policies"),
    "notify": ("leads.assigned", "leads.redeliver", "reps", "suppressions", "devices"),
}


def stage_access(stage: str) -> Access:
    """Return the rights of a stage of the runner. Raises KeyError for another name."""
    changelog = f"state.{stage}"
    onward = PATH if stage == "enrich" else ()  # an import goes on once those after it have handled what there is
    return Access(
        stage,
        (*_READS[stage], *(topic for _, topic in onward), changelog),
        (*_written_by(stage), changelog, "leads.dlq"),
        groups=(stage,),
        asks=tuple(group for group, _ in onward),
        transactional=f"{stage}-",
    )


def _written_by(process: str) -> tuple[str, ...]:
    return tuple(
        topic.name for topic in TOPICS.values() if process in topic.written_by and not topic.name.startswith("state.")
    )


def _timers() -> Access:
    """TIMERS measures how far TRACK and SCORE are on what they read, and wakes whoever armed."""
    measured = ("leads.activity", "leads.enriched")
    return Access(
        "timers",
        ("leads.timers", *measured),
        _written_by("timers"),
        groups=("timers",),
        asks=("track", "score"),
        transactional="timers-",
    )


def _meter() -> Access:
    """METER reads, and keeps its position."""
    return Access(
        "meter", ("leads.enriched", "leads.scored", "leads.assigned", "leads.notified"), (), groups=("meter",)
    )


def _feed() -> Access:
    """The feed reads what happened, and keeps a position a receiver."""
    topics = ("leads.raw", "leads.enriched", "leads.scored", "leads.assigned", "leads.notified")
    return Access("feed", topics, (), groups_called="feed-")


def _intake() -> Access:
    """The intake publishes what upstream sends, and follows decisions for those who wait for theirs."""
    return Access("intake", ("reps", "leads.assigned"), _written_by("intake"))


def _crm() -> Access:
    """`leadstream crm` reads what was decided and the tables, and writes what the CRM knows better."""
    return Access("crm", ("leads.assigned", "reps", "accounts", "xref", "bookmarks"), _written_by("crm"))


def _accounts() -> Access:
    """`leadstream accounts check` reads, and tells people."""
    return Access("accounts", ("accounts", "reps", "leads.enriched"), ())


def _board() -> Access:
    """The board reads in no group, and a person's actions go in where upstream's do.

    It puts a dead letter back as ops do, where strangers write; one of our own topics is for ops.
    """
    reads = ("leads.assigned", "leads.notified", "reps", "accounts", "policies", "leads.dlq", "state.assign")
    writes = ("leads.raw", "leads.bulk", "leads.activity", "reps", "leads.dlq")
    return Access("board", reads, writes, transactional="ops-")


def _ops() -> Access:
    """A person at the command line: topics, roster, policies, dead letters, the journal."""
    everything = tuple(TOPICS)
    return Access("ops", everything, everything, asks=(*_READS, "timers"), transactional="ops-", manages=True)


ACCESS: Mapping[str, Access] = {
    **{stage: stage_access(stage) for stage in _READS},
    "timers": _timers(),
    "meter": _meter(),
    "intake": _intake(),
    "feed": _feed(),
    "crm": _crm(),
    "accounts": _accounts(),
    "board": _board(),
    "ops": _ops(),
}
"""Process -> its rights."""


class Resource(StrEnum):
    """What Kafka guards."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactionalId"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that a process may do. name: full, or with is_prefix how names start. operations: in Kafka's words."""

    resource: Resource
    name: str
    operations: tuple[str, ...]
    is_prefix: bool = False


CLUSTER_NAME = "kafka-cluster"  # the one name that Kafka knows the cluster by
# Every slot looks at its topics and the brokers before its first record: they could be set up to lose data.
_LOOKED_AT = ("leads.timers", "leads.dlq")


def rights(access: Access, namespace: str) -> tuple[Right, ...]:
    """Return what `access` comes to in a namespace: one right a topic, group, transactional id and the cluster."""
    found = [
        Right(Resource.TOPIC, qualified(namespace, topic), _operations(access, topic)) for topic in _topics(access)
    ]
    found += [Right(Resource.GROUP, qualified(namespace, name), ("Read", "Describe")) for name in access.groups]
    if access.groups_called:
        prefix = qualified(namespace, access.groups_called)
        found.append(Right(Resource.GROUP, prefix, ("Read", "Describe"), True))
    asks = (*access.asks, UNUSED_GROUP)
    found += [Right(Resource.GROUP, qualified(namespace, name), ("Describe",)) for name in asks]
    if access.transactional:
        prefix = qualified(namespace, access.transactional)
        found.append(Right(Resource.TRANSACTIONAL_ID, prefix, ("Write", "Describe"), True))
    cluster = ("Describe", "DescribeConfigs") if access.manages else ("DescribeConfigs",)
    return (*found, Right(Resource.CLUSTER, CLUSTER_NAME, cluster))


def _topics(access: Access) -> tuple[str, ...]:
    looked_at = _LOOKED_AT if access.transactional else ()
    return tuple(dict.fromkeys((*access.reads, *access.writes, *looked_at)))


def _operations(access: Access, topic: str) -> tuple[str, ...]:
    operations = ["Describe", "DescribeConfigs"]
    if topic in access.reads:
        operations.append("Read")
    if topic in access.writes:
        operations.append("Write")
    if access.manages:
        operations += ["Create", "AlterConfigs"]
    return tuple(operations)
