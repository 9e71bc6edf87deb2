"""Client settings: accepted by librdkafka, complete, and with secrets kept."""

import pytest
from confluent_kafka import Consumer, Producer
from pydantic import SecretStr, ValidationError

from streams.kafka.config import (
    ClusterSettings,
    admin_config,
    consumer_config,
    plain_producer_config,
    producer_config,
    qualified,
    table_consumer_config,
    uncommitted_consumer_config,
)

ACME = ClusterSettings(bootstrap="127.0.0.1:1", namespace="acme")


def test_names_carry_the_namespace_unless_it_is_empty() -> None:
    assert qualified("acme", "leads.raw") == "acme.leads.raw"
    assert qualified("", "leads.raw") == "leads.raw"


def test_groups_instances_and_transactional_ids_carry_the_namespace() -> None:
    consumer = consumer_config(ACME, "score", "score-1")
    assert (consumer["group.id"], consumer["group.instance.id"]) == ("acme.score", "acme.score-1")
    assert producer_config(ACME, "score-1")["transactional.id"] == "acme.score-1"


def test_librdkafka_knows_every_setting() -> None:
    for config in (consumer_config(ACME, "g", "i"), table_consumer_config(ACME), uncommitted_consumer_config(ACME)):
        Consumer(config).close()
    for config in (producer_config(ACME, "t"), plain_producer_config(ACME)):
        Producer(config)


def test_only_the_reader_of_true_ends_sees_open_transactions() -> None:
    assert consumer_config(ACME, "g", "i")["isolation.level"] == "read_committed"
    assert table_consumer_config(ACME)["isolation.level"] == "read_committed"
    assert uncommitted_consumer_config(ACME)["isolation.level"] == "read_uncommitted"


def test_a_secret_reaches_the_client_and_no_log() -> None:
    secured = ClusterSettings(
        bootstrap="kafka:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="leadstream",
        sasl_password=SecretStr("hunter2"),
    )
    assert admin_config(secured)["sasl.password"] == "hunter2"
    assert "hunter2" not in repr(secured)


@pytest.mark.parametrize(
    "wrong",
    [{"security_protocol": "SASL_SSL"}, {"bootstrap": ""}, {"namespace": "a b"}, {"namspace": "acme"}],
    ids=["SASL without a user", "no address", "a space in the namespace", "a mistyped setting"],
)
def test_wrong_settings_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ClusterSettings.model_validate({"bootstrap": "127.0.0.1:1"} | wrong)
