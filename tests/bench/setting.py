"""The stage for a benchmark: a namespace on a broker, its topics, a policy of a given size and its roster."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import psutil
import yaml

from schemas.policy import PolicyActivated, PolicyBody, PolicyPointer
from schemas.rep import Rep, RepChanged
from schemas.topics import PARTITIONS
from schemas.wire import encode
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings, qualified
from tests.bench.inputs import SECRET
from tests.bench.process import python, running
from tests.records import Outgoing, Records

ROOT = Path(__file__).parents[2]
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Setting:
    """A namespace that is ready for stages. hash: of the active policy."""

    cluster: ClusterSettings
    folder: Path
    hash: str

    @property
    def records(self) -> Records:
        return Records(self.cluster)

    def full(self, topic: str) -> str:
        """Return the full name of a logical topic or group."""
        return qualified(self.cluster.namespace, topic)

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            "LEADSTREAM_BOOTSTRAP": self.cluster.bootstrap,
            "LEADSTREAM_NAMESPACE": self.cluster.namespace,
            "LEADSTREAM_PERSON_SECRET": SECRET.decode(),
            "LEADSTREAM_STATE_DIR": str(self.folder / self.cluster.namespace),
            "LEADSTREAM_HTTP_PORT_BASE": "0",
            "LEADSTREAM_LOG_LEVEL": "warning",
        }


def policy_text(rules: int) -> str:
    """Return the shipped default policy with industry rules in front, `rules` in all. None of those matches."""
    file = yaml.safe_load((ROOT / "routing" / "policies" / "default.yaml").read_text())
    file.pop("examples", None)
    extra = [
        {
            "name": f"extra {number}",
            "when": f'has(company.industry) && company.industry == "industry{number}" && company.employees > {number}',
            "to": {"pool": "mm-southwest"},
            "because": "a benchmark needs many rules",
            "say": "Never matches.",
            "owner": "bench",
        }
        for number in range(max(0, rules - len(file["rules"])))
    ]
    file["rules"] = [*extra, *file["rules"]]
    return yaml.safe_dump(file, sort_keys=False)


def roster(reps: int) -> list[Rep]:
    """Return `reps` people in the pool mm-southwest, without limits, and who else the policy asks for."""
    teams = ("ent-amer", "mm-southwest", "smb-sdr", "vert-healthcare", "general-qual", "after-hours")
    people = [Rep(id=f"m-{team}", name=team, role="manager", team=team) for team in teams]
    people += [Rep(id=f"r-{team}", name=team, role="ae", team=team, limit=1e7) for team in teams]
    people += [Rep(id=f"r{n}", name=f"Rep {n}", role="ae", team="mm-southwest", limit=1e7) for n in range(reps)]
    for queue in ("manual-review", "catch-all"):
        people.append(Rep(id=f"q-{queue}", name=queue, role="reviewer", team=queue))
        people.append(Rep(id=f"m-{queue}", name=queue, role="manager", team=queue))
    return [*people, Rep(id="sl", name="Leadership", role="leadership")]


def prepared(bootstrap: str, namespace: str, folder: Path, *, rules: int = 20, reps: int = 10) -> Setting:
    """Make the topics, publish and activate a policy, put the roster into the division's log and the table."""
    from routing.policy import compile_policy

    cluster = ClusterSettings(bootstrap=bootstrap, namespace=namespace)
    kafka_topics.create(cluster, PARTITIONS)
    text = policy_text(rules)
    policy_hash = compile_policy(text).hash
    now = datetime.now(UTC)
    body = PolicyBody(hash=policy_hash, division="main", text=text, published_at=now, published_by="bench")
    pointer = PolicyPointer(division="main", hash=policy_hash, activated_at=now)
    activated = PolicyActivated(division="main", hash=policy_hash, by="bench", reason="bench", at=now)
    people = roster(reps)
    records = Records(cluster)
    records.write(
        "policies",
        [
            Outgoing(policy_hash, encode(body), {"ce_type": "policy.body"}),
            Outgoing("active/main", encode(pointer), {"ce_type": "policy.pointer"}),
        ],
    )
    changes = [RepChanged(rep_id=rep.id, division="main", rep=rep, at=now) for rep in people]
    records.write(
        "leads.scored",
        [
            Outgoing("main", encode(activated), {"ce_type": "policy.activated", "ce_id": "bench-activated"}),
            *(Outgoing("main", encode(row), {"ce_type": "rep.changed", "ce_id": row.rep_id}) for row in changes),
        ],
    )
    return Setting(cluster, folder, policy_hash)


@contextmanager
def stage(setting: Setting, name: str, environ: Mapping[str, str] = NOTHING) -> Iterator[psutil.Process]:
    """Run one slot of a stage, as `leadstream run` does. environ: further settings."""
    command = python("-m", "streams.cli.main", "run", name, "--slot", "1")
    with running(command, {**setting.environ, **environ}) as process:
        yield process
