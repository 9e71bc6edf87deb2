"""Fixtures of every test that needs a Kafka. Those that need none never start one."""

import sys
import uuid
from collections.abc import Iterator

import hypothesis
import pytest

from schemas.topics import KeyedBy
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.broker import FoundBroker, found_broker
from tests.records import Records

# jsonschema compiles a grammar of IRIs when it is imported: four seconds in every worker, for a format that none of our
# schemas has. None here: the import is refused, and jsonschema does without.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# A machine that is busy for a moment is no fault of the code under test: by itself hypothesis allows an example 200 ms,
# and gives up where making them takes long. Nor is a rare example a fault of the change that happens to meet it: a run
# draws the same ones each time. `--hypothesis-profile=wide` draws others.
BY_LUCK = [
    hypothesis.HealthCheck.too_slow,
    hypothesis.HealthCheck.filter_too_much,
    hypothesis.HealthCheck.data_too_large,
]
hypothesis.settings.register_profile("leadstream", deadline=None, derandomize=True, suppress_health_check=BY_LUCK)
hypothesis.settings.register_profile("wide", deadline=None, suppress_health_check=BY_LUCK)
hypothesis.settings.load_profile("leadstream")

# Two where it matters that there is more than one; each partition costs the broker files and a test time.
FEW_PARTITIONS = {
    KeyedBy.ANYTHING: 2,
    KeyedBy.PERSON: 2,
    KeyedBy.DIVISION: 2,
    KeyedBy.WAKER: 2,
    KeyedBy.REP: 2,  # TRACK reads it beside leads.activity
    KeyedBy.ACCOUNT: 1,
    KeyedBy.POLICY: 1,
    KeyedBy.FOREIGN_ID: 1,
    KeyedBy.SOURCE: 1,
    KeyedBy.DEVICE: 1,
}


@pytest.fixture(scope="session")
def broker() -> Iterator[FoundBroker]:
    """A real broker, one for the whole session. Don't stop it: tests of outages start their own."""
    with found_broker() as found:
        yield found


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def cluster(broker: FoundBroker, namespace: str) -> ClusterSettings:
    """How to reach the broker, in this test's namespace."""
    return ClusterSettings(bootstrap=broker.bootstrap, namespace=namespace)


@pytest.fixture
def topics(cluster: ClusterSettings) -> Iterator[ClusterSettings]:
    """All topics of this test's namespace, with few partitions; removed afterwards. Gives what `cluster` gives."""
    kafka_topics.create(cluster, FEW_PARTITIONS)
    yield cluster
    kafka_topics.delete(cluster)


@pytest.fixture
def records(topics: ClusterSettings) -> Records:
    """Writes to and reads from the topics of this test."""
    return Records(topics)
