"""How every client of leadstream talks to Kafka: one place for the settings, each non-default with its reason.

"measured" is on two cores against one Apache Kafka 4.1.0 broker; DESIGN section 4 has the figures in full.
"""

from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from schemas.model import Typed

LibrdkafkaConfig = dict[str, Any]
"""Settings for a confluent-kafka client. Holds secrets in the clear: never log it."""

# What others may write, as the broker counts it (a batch of one record). Set on the topics that are not ours.
INPUT_MAX_BYTES = 1_048_576
# What we write at most: an input with what enrichment adds, or a dead letter: its original bytes and its headers.
# `produce()` refuses more, and leaves the transaction usable; the broker refusing it would abort the transaction
# at each new try, so our topics allow a little more than this (`streams.kafka.topics`).
RECORD_MAX_BYTES = 2 * INPUT_MAX_BYTES

TRANSACTION_TIMEOUT_MS = 10_000
SESSION_TIMEOUT_MS = 10_000


class ClusterSettings(Typed):
    """Where the cluster is, who we are to it, and which namespace is ours.

    bootstrap: "host:port,host:port". namespace: prefix of topics, groups and transactional ids; empty for none.
    ssl_*_location: paths of PEM files. sasl_*: needed with the two SASL protocols only.
    """

    bootstrap: str = Field(min_length=1)
    namespace: str = Field(default="", pattern=r"^([a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99})?$")
    client_id: str = "leadstream"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: str | None = None
    ssl_certificate_location: str | None = None
    ssl_key_location: str | None = None
    ssl_key_password: SecretStr | None = None

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> "ClusterSettings":
        needed = (self.sasl_mechanism, self.sasl_username, self.sasl_password)
        if self.security_protocol.startswith("SASL") and None in needed:
            raise ValueError(f"{self.security_protocol} needs sasl_mechanism, sasl_username and sasl_password")
        return self


def qualified(namespace: str, name: str) -> str:
    """Return `name` (of a topic, group or transactional id) inside `namespace`: "acme.leads.raw", or bare."""
    return f"{namespace}.{name}" if namespace else name


def consumer_config(settings: ClusterSettings, group: str, instance_id: str) -> LibrdkafkaConfig:
    """Return the settings of a stage's subscribed consumer.

    group: logical name, qualified here. instance_id: the slot, stable over restarts ("score-1").
    """
    return _reading(settings) | {
        "group.id": qualified(settings.namespace, group),
        # A restarted process takes its partitions back at once: consuming 0.3 s after SIGKILL (dynamic: 9 s).
        "group.instance.id": qualified(settings.namespace, instance_id),
        # KIP-848 ("consumer"): 45 s after SIGKILL, and a returning static member gets a fatal error.
        "group.protocol": "classic",
        # Under kills cooperative-sticky left ladders unfinished; topics keyed alike must come to one slot.
        "partition.assignment.strategy": "range",
        # A slot that is removed for good is evicted after this; the default of 45 s is a long pause.
        "session.timeout.ms": SESSION_TIMEOUT_MS,
        "heartbeat.interval.ms": 1_000,  # notice a rebalance within a second; the default is 3 s
    }


def table_consumer_config(settings: ClusterSettings) -> LibrdkafkaConfig:
    """Return the settings of a consumer that is assigned partitions by hand: tables, changelog restore, readers.

    It reports the end of a partition (`_PARTITION_EOF`), whose offset is the last stable one. Its group is never
    joined and commits nothing; librdkafka only demands a name.
    """
    return _reading(settings) | {
        "group.id": qualified(settings.namespace, "unused"),
        "enable.partition.eof": True,  # tells that the last stable offset is reached; `position()` does not
    }


def to_end_consumer_config(settings: ClusterSettings) -> LibrdkafkaConfig:
    """Return the settings of a consumer as `table_consumer_config`'s that reads up to the end and goes."""
    # The end is told by an empty answer, which the broker gives after this wait: at the default of 500 ms each
    # restore, however small, took 0.57 s.
    return table_consumer_config(settings) | {"fetch.wait.max.ms": 10}


def uncommitted_consumer_config(settings: ClusterSettings) -> LibrdkafkaConfig:
    """Return the settings of a consumer that only asks for the true end of a partition, open transactions included."""
    return table_consumer_config(settings) | {"isolation.level": "read_uncommitted"}


def producer_config(settings: ClusterSettings, transactional_id: str) -> LibrdkafkaConfig:
    """Return the settings of a slot's transactional producer. transactional_id: logical, stable over restarts."""
    return _writing(settings) | {
        "transactional.id": qualified(settings.namespace, transactional_id),
        # A hung producer pins the last stable offset for this plus the broker's 10 s scan (67 s at the default).
        "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
        # At 100 each small transaction waits ~90 ms for the last one's markers: 15/s, not 257/s.
        "retry.backoff.ms": 1,
        "retry.backoff.max.ms": 5,
        "linger.ms": 0,  # a transaction flushes at once, waiting only adds to its latency
    }


def plain_producer_config(settings: ClusterSettings) -> LibrdkafkaConfig:
    """Return the settings of an idempotent producer outside transactions: intake, import, commands.

    A record is safe only once its delivery report says so.
    """
    return _writing(settings) | {
        "enable.idempotence": True,  # a retry neither doubles nor reorders
        "delivery.timeout.ms": 30_000,  # the caller of the API is told within half a minute, not five
    }


def admin_config(settings: ClusterSettings) -> LibrdkafkaConfig:
    """Return the settings of an AdminClient."""
    return _connection(settings)


def _reading(settings: ClusterSettings) -> LibrdkafkaConfig:
    return _connection(settings) | {
        "isolation.level": "read_committed",  # librdkafka's default already; said because exactly-once rests on it
        "enable.auto.commit": False,  # offsets are part of the transaction, explicit
        "enable.auto.offset.store": False,
        # `earliest` silently restarts a too-far offset at 0; a missing offset is resolved by ourselves.
        "auto.offset.reset": "error",
        # The two belong together: 31k/s at 50 MB. Defaults: 21k/s at 120 MB; the first alone: 0.9k/s.
        "queued.max.messages.kbytes": 4_096,
        "fetch.queue.backoff.ms": 5,
        # A whole answer is unpacked at once, past the queue's limit: 134 MB over the start at the default of 1 MiB a
        # partition, 84 MB so, for 10% of processor time (200,000 armings of six partitions).
        "max.partition.fetch.bytes": 131_072,
        "allow.auto.create.topics": False,  # a mistyped topic is an error, not a topic with default settings
    }


def _writing(settings: ClusterSettings) -> LibrdkafkaConfig:
    return _connection(settings) | {
        "acks": "all",
        "partitioner": "murmur2_random",  # as the Java client does: other writers must reach the same partition
        "message.max.bytes": RECORD_MAX_BYTES,  # room for a dead letter of the largest input
        "compression.type": "lz4",  # JSON to a third or less, kept for 400 days
        "allow.auto.create.topics": False,
    }


def _connection(settings: ClusterSettings) -> LibrdkafkaConfig:
    given: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": settings.client_id,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password.get_secret_value() if settings.sasl_password else None,
        "ssl.ca.location": settings.ssl_ca_location,
        "ssl.certificate.location": settings.ssl_certificate_location,
        "ssl.key.location": settings.ssl_key_location,
        "ssl.key.password": settings.ssl_key_password.get_secret_value() if settings.ssl_key_password else None,
        "reconnect.backoff.ms": 50,  # back within a moment of a broker restart
        "reconnect.backoff.max.ms": 1_000,  # the default of 10 s adds that much to every outage
        "log_level": 2,  # what matters comes as error callback or exception; its own lines would flood an outage
    }
    return {name: value for name, value in given.items() if value is not None}
