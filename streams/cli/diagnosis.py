"""What `leadstream doctor` looks at, in the order in which one thing needs the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.policy import PolicyPointer
from streams.cli.dead_letters import letters
from streams.cli.records import TopicMissing, latest
from streams.errors import LeadstreamError
from streams.kafka import topics
from streams.kafka.clock import clock_findings, measure
from streams.kafka.cluster import ADMIN_SECONDS, ClusterUnreachable, read_cluster
from streams.kafka.config import ClusterSettings, admin_config, qualified
from streams.kafka.finding import Severity
from streams.quantity import counted
from streams.settings import Settings
from streams.topology import STAGES, TIMERS

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
        ("stages", _stages),
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
        yield Check("roster", None, f"{counted(count, 'person', 'people')}.")
    else:
        remedy = "leadstream reps import FILE."
        yield Check("roster", Severity.WARNING, "The roster is empty: leads go to queues without people.", remedy)


def _stages(cluster: ClusterSettings) -> Iterator[Check]:
    """Every stage is a consumer group; a slot that restores, or that was killed seconds ago, is a member."""
    stages = {qualified(cluster.namespace, name): name for name in (*STAGES, TIMERS)}
    admin = AdminClient(admin_config(cluster))  # held: its futures fail when it is collected
    described = admin.describe_consumer_groups(list(stages), request_timeout=ADMIN_SECONDS)
    slots = {stages[group]: len(future.result().members) for group, future in described.items()}
    idle = [name for name, count in slots.items() if not count]
    if idle:
        what = f"Nobody runs {', '.join(idle)}: what is for them waits."
        remedy = "leadstream up starts all on this machine, leadstream run STAGE one slot."
        yield Check("stages", Severity.WARNING, what, remedy)
    else:
        yield Check("stages", None, "Slots run: " + ", ".join(f"{name} {count}" for name, count in slots.items()) + ".")


def _dlq(cluster: ClusterSettings) -> Iterator[Check]:
    waiting = [letter for letter in letters(cluster) if letter.is_open]
    if not waiting:
        yield Check("dlq", None, "No dead letters wait.")
        return
    age = (datetime.now(UTC) - waiting[0].at).total_seconds()
    severity = Severity.ERROR if age > _LETTERS_OLD_SECONDS else Severity.WARNING
    what = f"{len(waiting)} dead letters wait, the oldest for {age / 3_600:.1f} h; after 14 d they are gone."
    yield Check("dlq", severity, what, "leadstream dlq list, then dlq replay or dlq drop.")
