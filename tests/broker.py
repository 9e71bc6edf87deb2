"""Where the tests' Kafka comes from: KAFKA_BOOTSTRAP, else a container, else the embedded broker. None is a failure."""

import gc
import os
import random
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.broker.embedded import start
from streams.broker.ports import CHOICES

CONTAINER_IMAGE = "confluentinc/cp-kafka:8.1.0"  # Apache Kafka 4.1


@dataclass(frozen=True, slots=True)
class FoundBroker:
    """A broker to test against. found: how it came about, for the report's header."""

    bootstrap: str
    found: str


@contextmanager
def found_broker() -> Iterator[FoundBroker]:
    """Yield the first broker that there is; ours ends with the block. Raises what the embedded broker raises."""
    if bootstrap := os.environ.get("KAFKA_BOOTSTRAP"):
        yield FoundBroker(bootstrap, "KAFKA_BOOTSTRAP")
    elif docker_answers():
        with container() as broker:
            yield broker
    else:
        with embedded() as broker:
            yield broker


def docker_answers() -> bool:
    """Tell whether a container engine is there and lets us in."""
    import docker  # type: ignore[import-untyped]
    from docker.errors import DockerException  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library forgets its socket where no engine listens
        try:
            client = docker.from_env(timeout=5)
            client.close()
            return True  # it asked the engine for its version
        except DockerException:
            return False
        finally:
            gc.collect()


@contextmanager
def container() -> Iterator[FoundBroker]:
    """Yield a broker in a container."""
    from testcontainers.kafka import KafkaContainer

    kafka = KafkaContainer(CONTAINER_IMAGE).with_kraft()
    kafka.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
    kafka.with_env("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
    with kafka as running:
        yield FoundBroker(running.get_bootstrap_server(), "container")


@contextmanager
def embedded() -> Iterator[FoundBroker]:
    """Yield the embedded broker, on a folder that is gone afterwards and a port that no other session wants."""
    with (
        tempfile.TemporaryDirectory(prefix="leadstream-test-", ignore_cleanup_errors=True) as folder,
        start(Path(folder), port=random.choice(CHOICES)) as broker,
    ):
        yield FoundBroker(broker.bootstrap, "embedded")
