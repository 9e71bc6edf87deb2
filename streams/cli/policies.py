"""The policies on the cluster: bodies by hash, the pointer of each division, the activations in its log."""

import getpass
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from confluent_kafka import Producer

from routing.finding import Finding, Severity
from routing.policy import Policy, PolicyInvalid, compile_policy
from schemas.ids import derived_id
from schemas.policy import PolicyActivated, PolicyBody, PolicyPointer
from schemas.rep import Rep
from schemas.wire import encode, headers_for
from streams.cli.failure import CommandFailed, not_found, refused
from streams.cli.records import latest, parsed, partition_count, read
from streams.cli.writer import Outgoing, write
from streams.kafka.config import ClusterSettings, producer_config, qualified
from streams.kafka.murmur2 import partition_of

_SOURCE = "leadstream/ops"
_INIT_SECONDS = 30.0
_FIX = "Correct what the findings say; leadstream policy lint FILE checks without publishing."


def shipped() -> tuple[str, ...]:
    """Return the names of the policies that come with leadstream."""
    return tuple(
        sorted(
            path.name.removesuffix(".yaml")
            for path in files("routing.policies").iterdir()
            if path.name.endswith(".yaml")
        )
    )


def text_of(name: str) -> str:
    """Return the text of a policy file, or of a shipped policy by its name. Raises CommandFailed."""
    if name in shipped():
        return (files("routing.policies") / f"{name}.yaml").read_text(encoding="utf-8")
    path = Path(name)
    if not path.is_file():
        raise not_found(f"There is no policy file {name!r}.", f"Give a file, or a shipped one: {', '.join(shipped())}.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise refused(
            f"{name} is not UTF-8 text: {error.reason} at byte {error.start}.", "Save it as UTF-8."
        ) from error


def compiled(name: str, text: str) -> Policy:
    """Return the policy. Raises CommandFailed with all findings."""
    try:
        return compile_policy(text)
    except PolicyInvalid as error:
        findings = "".join(f"\n  {name}: {finding}" for finding in error.findings)
        raise refused(f"{name} is no valid policy.{findings}", _FIX) from error


def bodies(cluster: ClusterSettings) -> dict[str, PolicyBody]:
    """Return hash -> body of every policy published."""
    records = latest(cluster, "policies").items()
    return {key: one.model for key, one in records if isinstance(one.model, PolicyBody)}


def pointers(cluster: ClusterSettings) -> dict[str, PolicyPointer]:
    """Return division -> what it decides by."""
    found = (one.model for one in latest(cluster, "policies").values())
    return {pointer.division: pointer for pointer in found if isinstance(pointer, PolicyPointer)}


def body(cluster: ClusterSettings, name: str) -> PolicyBody:
    """Return the body whose hash starts with `name`, or that the division `name` decides by. Raises CommandFailed."""
    known = bodies(cluster)
    active = pointers(cluster)
    wanted = active[name].hash if name in active else name
    found = [one for key, one in known.items() if key.startswith(wanted)]
    if len(found) != 1:
        what = f"{len(found)} published policies start with {name!r}." if found else f"No policy {name!r} is published."
        raise not_found(what, "leadstream policy history shows hashes; leadstream policy publish FILE adds one.")
    return found[0]


def publish(cluster: ClusterSettings, policy: Policy, roster: list[Rep]) -> PolicyBody:
    """Write the body under its hash; a second time writes the same. Raises CommandFailed if lint finds an error."""
    from routing.lint import lint

    require_clean(lint(policy, roster))
    published = PolicyBody(
        hash=policy.hash,
        division=policy.file.division,
        text=policy.text,
        published_at=datetime.now(UTC),
        published_by=getpass.getuser(),
    )
    write(cluster, [Outgoing(f"policy/{policy.hash}", "policies", policy.hash, "policy.body", encode(published))])
    return published


def require_activatable(policy: Policy, roster: list[Rep]) -> None:
    """Raise CommandFailed with what keeps a published policy from deciding, if anything."""
    from routing.lint import obstacles

    require_clean(obstacles(policy, roster))


def require_clean(findings: Iterable[Finding]) -> None:
    """Raise CommandFailed with the errors among what lint found, if any."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise refused("The policy has errors." + "".join(f"\n  {finding}" for finding in errors), _FIX)


def activate(cluster: ClusterSettings, published: PolicyBody, reason: str) -> PolicyActivated:
    """Make the division decide by this body: pointer and event in one transaction, so neither is there without the
    other. Two who do it at once: the slower one is fenced and told so.
    """
    now = datetime.now(UTC)
    activated = PolicyActivated(
        division=published.division, hash=published.hash, by=getpass.getuser(), reason=reason, at=now
    )
    pointer = PolicyPointer(division=published.division, hash=published.hash, activated_at=now)
    event_id = derived_id(f"{published.hash}/{now.isoformat()}", "ops", "activate")
    with _transaction(cluster, f"ops-policy-{published.division}") as producer:
        for topic, key, kind, value in (
            ("policies", f"active/{published.division}", "policy.pointer", pointer),
            ("leads.scored", published.division, "policy.activated", activated),
        ):
            producer.produce(
                qualified(cluster.namespace, topic),
                key=key.encode(),
                value=encode(value),
                headers=dict(headers_for(event_id, kind, _SOURCE, now, {})),
            )
    return activated


def activations(cluster: ClusterSettings, division: str) -> list[PolicyActivated]:
    """Return the activations in the division's log, oldest first, as far back as the log is kept (30 days)."""
    partition = partition_of(division.encode(), partition_count(cluster, "leads.scored"))
    log = read(cluster, "leads.scored", (partition,))
    said = (one for one in log if one.key_text == division and one.header("ce_type") == "policy.activated")
    return [activated for _, activated in parsed(said, PolicyActivated)]


@contextmanager
def _transaction(cluster: ClusterSettings, transactional_id: str) -> Iterator[Producer]:
    producer = Producer(producer_config(cluster, transactional_id))
    producer.init_transactions(_INIT_SECONDS)
    producer.begin_transaction()
    yield producer
    try:
        producer.commit_transaction(-1)
    except Exception as error:
        raise CommandFailed(
            f"The transaction did not go through: {error}.",
            "Look with `leadstream policy history`; if it is not there, run the command again.",
        ) from error
