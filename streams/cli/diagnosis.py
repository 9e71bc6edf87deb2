"""What `leadstream doctor` looks at, in the order in which one thing needs the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import KafkaException

from schemas.policy import PolicyPointer
from streams.cli.dead_letters import letters
from streams.cli.output import counted
from streams.cli.records import TopicMissing, latest
from streams.errors import LeadstreamError
from streams.kafka import topics
from streams.kafka.clock import clock_findings, measure
from streams.kafka.cluster import ClusterUnreachable, read_cluster
from streams.kafka.config import ClusterSettings
from streams.kafka.finding import Severity
from streams.settings import Settings

_LETTERS_OLD_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. severity: None where all is well. remedy: what to do."""

    name: str
    severity: Severity | None
    what: str
    remedy: str = ""


def checks(settings: Settings) -> Iterator[Check]:
    """Yield one or more findings a check; what can't be checked without the broker is left out when it is away."""
    yield from _settings(settings)
    cluster = settings.cluster
    try:
        brokers = len(read_cluster(cluster, ()).brokers)
    except ClusterUnreachable as error:
        remedy = "Start one with `leadstream broker`, or set LEADSTREAM_BOOTSTRAP to yours."
        yield Check("broker", Severity.ERROR, str(error), remedy)
        return
    yield Check("broker", None, f"{cluster.bootstrap} answers, {counted(brokers, 'node')}.")
    for name, check in (
        ("topics", _topics),
        ("clock", _clock),
        ("policy", _policy),
        ("roster", _roster),
        ("dlq", _dlq),
    ):
        yield from _guarded(name, check, cluster)


def _guarded(
    name: str, check: Callable[[ClusterSettings], Iterator[Check]], cluster: ClusterSettings
) -> Iterator[Check]:
    try:
        yield from check(cluster)
    except TopicMissing:
        return  # told with the topics
    except (LeadstreamError, KafkaException) as error:
        remedy = "Run doctor again; if it stays, look at the broker's log and at the rights of this user."
        yield Check(name, Severity.ERROR, str(error), remedy)


def _settings(settings: Settings) -> Iterator[Check]:
    try:
        settings.person_key()
    except LeadstreamError as error:
        remedy = "export LEADSTREAM_PERSON_SECRET=$(openssl rand -hex 32), the same in every process; keep it safe."
        yield Check("settings", Severity.ERROR, str(error), remedy)
    else:
        namespace = f"namespace {settings.namespace!r}" if settings.namespace else "no namespace"
        yield Check("settings", None, f"Complete; {namespace}, state in {settings.state_dir}.")


def _topics(cluster: ClusterSettings) -> Iterator[Check]:
    found = topics.check(cluster)
    if not found:
        yield Check("topics", None, "All there, and set up as they must be.")
    for finding in found:
        yield Check("topics", finding.severity, finding.what, finding.remedy)


def _clock(cluster: ClusterSettings) -> Iterator[Check]:
    found = clock_findings(measure(cluster))
    if not found:
        yield Check("clock", None, "This machine and the broker agree within a second; a record was acknowledged.")
    for finding in found:
        yield Check("clock", finding.severity, finding.what, finding.remedy)


def _policy(cluster: ClusterSettings) -> Iterator[Check]:
    table = latest(cluster, "policies")
    active = {key: record for key, record in table.items() if isinstance(record.model, PolicyPointer)}
    if not active:
        remedy = "leadstream policy publish FILE, then leadstream policy activate HASH."
        yield Check("policy", Severity.ERROR, "No division has an active policy: leads wait.", remedy)
    for key, record in sorted(active.items()):
        pointer: PolicyPointer = record.model
        if pointer.hash in table:
            yield Check("policy", None, f"Division {pointer.division} decides by {pointer.hash}.")
        else:
            what = f"{key} points to {pointer.hash}, whose body is not there: the division waits."
            yield Check("policy", Severity.ERROR, what, "Publish that file again: leadstream policy publish FILE.")


def _roster(cluster: ClusterSettings) -> Iterator[Check]:
    count = len(latest(cluster, "reps"))
    if count:
        yield Check("roster", None, f"{count} people.")
    else:
        remedy = "leadstream reps import FILE."
        yield Check("roster", Severity.WARNING, "The roster is empty: leads go to queues without people.", remedy)


def _dlq(cluster: ClusterSettings) -> Iterator[Check]:
    waiting = [letter for letter in letters(cluster) if letter.is_open]
    if not waiting:
        yield Check("dlq", None, "No dead letters wait.")
        return
    age = (datetime.now(UTC) - waiting[0].at).total_seconds()
    severity = Severity.ERROR if age > _LETTERS_OLD_SECONDS else Severity.WARNING
    what = f"{len(waiting)} dead letters wait, the oldest for {age / 3_600:.1f} h; after 14 d they are gone."
    yield Check("dlq", severity, what, "leadstream dlq list, then dlq replay or dlq drop.")
