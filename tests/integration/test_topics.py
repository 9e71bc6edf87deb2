"""Topics on a real broker: made once, judged as they are, mended where that is possible."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from schemas.topics import TOPICS, KeyedBy
from streams.cli.exit_code import ExitCode
from streams.cli.main import run
from streams.kafka import clock
from streams.kafka import topics as kafka_topics
from streams.kafka.cluster import ClusterUnreachable
from streams.kafka.config import INPUT_MAX_BYTES, RECORD_MAX_BYTES, ClusterSettings, admin_config, qualified
from streams.kafka.finding import Finding, Severity
from streams.kafka.topics import ClusterUnsafe, check, create, repair, require_safe
from tests.conftest import FEW_PARTITIONS
from tests.integration.slots import slots_of
from tests.records import Outgoing, Records
from tests.waiting import eventually


def errors(found: tuple[Finding, ...]) -> list[str]:
    return [finding.what for finding in found if finding.severity is Severity.ERROR]


def alter(settings: ClusterSettings, topic: str, config: Mapping[str, str]) -> None:
    """Change settings of a topic. The broker knows them a moment later: its controller answers before that."""
    admin = AdminClient(admin_config(settings))
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    name = qualified(settings.namespace, topic)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def test_a_new_namespace_gets_every_topic_once(cluster: ClusterSettings) -> None:
    made = create(cluster, FEW_PARTITIONS)
    assert set(made) == {qualified(cluster.namespace, name) for name in TOPICS}
    assert create(cluster, FEW_PARTITIONS) == ()
    kafka_topics.delete(cluster)


def test_topics_as_made_give_no_error_and_a_stage_may_start(topics: ClusterSettings) -> None:
    assert errors(check(topics, partitions=FEW_PARTITIONS)) == []
    assert all(finding.severity is not Severity.ERROR for finding in require_safe(topics, ("leads.raw",)))


def test_an_empty_cluster_misses_every_topic(cluster: ClusterSettings) -> None:
    told = f"None of the {len(TOPICS)} topics is there, {cluster.namespace}.leads.raw and so on."
    assert told in errors(check(cluster))


@pytest.mark.parametrize(
    ("topic", "config", "objection"),
    [
        ("state.assign", {"cleanup.policy": "delete"}, "cleanup.policy=delete"),
        ("leads.scored", {"cleanup.policy": "compact"}, "cleanup.policy=compact"),
        ("leads.raw", {"retention.ms": "3600000"}, "retention.ms=3600000"),
        ("leads.raw", {"retention.bytes": "1000000"}, "retention.bytes=1000000"),
        ("leads.timers", {"delete.retention.ms": "1000"}, "delete.retention.ms=1000"),
        ("leads.assigned", {"unclean.leader.election.enable": "true"}, "unclean.leader.election.enable=true"),
        ("leads.dlq", {"max.message.bytes": "1000000"}, "max.message.bytes=1000000"),
        ("leads.raw", {"message.timestamp.type": "CreateTime"}, "message.timestamp.type=CreateTime"),
        ("leads.raw", {"min.insync.replicas": "2"}, "too few replicas in sync"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_dangerous_setting_is_named_and_repaired(
    topics: ClusterSettings, topic: str, config: dict[str, str], objection: str
) -> None:
    alter(topics, topic, config)
    eventually(lambda: errors(check(topics)) != [], objection)
    (what,) = errors(check(topics))
    assert objection in what and qualified(topics.namespace, topic) in what
    with pytest.raises(ClusterUnsafe, match=objection.split("=")[0]):
        require_safe(topics, (topic,))
    repair(topics)
    eventually(lambda: errors(check(topics)) == [], "no error after the repair")


def test_a_cluster_that_could_lose_data_is_refused_by_a_slot_and_named_by_the_doctor(
    topics: ClusterSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(topics, "state.enrich", {"cleanup.policy": "delete"})
    objection = f"Topic {topics.namespace}.state.enrich: cleanup.policy=delete"
    eventually(lambda: errors(check(topics)) != [], objection)
    with slots_of(topics, tmp_path) as slots:
        refused = slots.start()
        assert refused.exit_code() == 1
        (ended,) = refused.logged("process.ended")
        assert ended["error"] == "ClusterUnsafe" and ended["reason"].startswith(objection)
        assert refused.logged("partitions.assigned") == []
    code = run(["--bootstrap", topics.bootstrap, "--namespace", topics.namespace, "doctor", "--json"])
    assert code == ExitCode.FAILED
    told = [one for one in json.loads(capsys.readouterr().out) if one["severity"] == "error"]
    assert any(objection in json.dumps(one) for one in told)


def test_contact_data_kept_too_long_is_a_warning(topics: ClusterSettings) -> None:
    alter(topics, "leads.assigned", {"retention.ms": "-1"})
    what = f"Topic {topics.namespace}.leads.assigned: retention.ms=-1"
    eventually(
        lambda: any(one.what.startswith(what) and one.severity is Severity.WARNING for one in check(topics)), what
    )


def test_unequal_partition_counts_of_topics_keyed_alike_are_named(topics: ClusterSettings) -> None:
    admin = AdminClient(admin_config(topics))
    for future in admin.create_partitions([NewPartitions(qualified(topics.namespace, "state.score"), 3)]).values():
        future.result()
    objection = "keyed by person have unequal partition counts"
    eventually(lambda: any(objection in what for what in errors(check(topics))), objection)


def test_a_count_other_than_the_settings_say_is_named(topics: ClusterSettings) -> None:
    found = errors(check(topics, ("decisions",), {**FEW_PARTITIONS, KeyedBy.DIVISION: 12}))
    assert found == [f"Topic {topics.namespace}.decisions has 2 partitions, the settings say 12."]


def test_a_topic_that_someone_else_made_with_defaults_is_refused(cluster: ClusterSettings) -> None:
    admin = AdminClient(admin_config(cluster))
    for future in admin.create_topics([NewTopic(qualified(cluster.namespace, "leads.timers"), 2, 1)]).values():
        future.result()
    create(cluster, FEW_PARTITIONS)
    with pytest.raises(ClusterUnsafe, match=r"leads.timers: cleanup.policy=delete"):
        require_safe(cluster)
    kafka_topics.delete(cluster)


def test_a_dead_letter_of_the_largest_input_fits(records: Records) -> None:
    records.write("leads.raw", [Outgoing("k", b"x" * (INPUT_MAX_BYTES - 1_000))])
    records.write("leads.dlq", [Outgoing("k", b"x" * INPUT_MAX_BYTES, {"reason": "r" * 10_000})])
    assert [len(record.value or b"") for record in records.read_all("leads.dlq")] == [INPUT_MAX_BYTES]


def test_what_the_client_lets_through_our_topics_take(records: Records) -> None:
    records.write("leads.enriched", [Outgoing("k", b"x" * (RECORD_MAX_BYTES - 1_000))])
    assert len(records.read_all("leads.enriched")) == 1


def test_records_are_read_up_to_the_condition(records: Records) -> None:
    records.write("leads.raw", [Outgoing(f"k{n}", {"n": n}, {"ce_id": str(n)}) for n in range(20)])
    found = records.read_until(("leads.raw",), lambda seen: len(seen) >= 20)
    assert sorted(record.json["n"] for record in found) == list(range(20))
    with pytest.raises(AssertionError, match=r"not seen in 1 s; \d+ records read"):
        records.read_until(("leads.raw",), lambda seen: len(seen) > 20, seconds=1)


def test_the_clock_of_a_broker_on_this_machine_is_ours_and_leaves_no_topic(cluster: ClusterSettings) -> None:
    difference = clock.measure(cluster)
    assert abs(difference.ahead_seconds) <= difference.uncertainty_seconds + 0.002  # stamps are whole milliseconds
    admin = AdminClient(admin_config(cluster))
    eventually(
        lambda: not any(name.startswith(cluster.namespace) for name in admin.list_topics(timeout=60).topics),
        "the topic of the measurement gone",
    )


def test_no_broker_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kafka.cluster.ADMIN_SECONDS", 1.0)  # it says so once it has waited in vain
    with pytest.raises(ClusterUnreachable, match=r"127\.0\.0\.1:1 did not answer"):
        check(ClusterSettings(bootstrap="127.0.0.1:1"))
