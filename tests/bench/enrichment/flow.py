"""Leads through ENRICH and PENDING, one slot each, beside providers that can be slow or dead."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson
import psutil
import yaml
from prometheus_client.parser import text_string_to_metric_families

from streams.topology import NAMES, PORTS_A_STAGE
from tests.bench import inputs
from tests.bench.arrivals import passed
from tests.bench.process import python, running
from tests.bench.setting import Setting, prepared
from tests.lab.providers import Providers
from tests.ports import free_base
from tests.records import Outgoing

CALLS = "leadstream_enrichment_calls_total"
STEPS = "leadstream_streams_step_seconds_sum"
LINGER_MS = 5  # the sender gathers, as what feeds 500 leads a second does
PARTS = 5  # of a run, each with its own median


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of leads. waits: seconds from the sender's call to a committed record, sorted.

    medians: of the waits of the first fifth of the leads, the second and so on; a stage that does not keep up shows it
    in a last one that is above the others.
    """

    sent: int
    waits: tuple[float, ...]
    medians: tuple[float, ...] = ()

    @property
    def lost(self) -> int:
        return self.sent - len(self.waits)

    def at(self, share: float) -> float:
        """Return the wait that `share` of the leads did not exceed."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))]

    def figures(self) -> dict[str, Any]:
        """Return what is reported, in milliseconds."""
        return {
            "sent": self.sent,
            "missing": self.lost,
            "p50 ms": round(self.at(0.5) * 1000, 1),
            "p99 ms": round(self.at(0.99) * 1000, 1),
            "max ms": round(self.waits[-1] * 1000, 1),
            "p50 ms of each fifth": [round(one * 1000) for one in self.medians],
        }


def together(passages: Sequence[Passage]) -> Passage:
    """Return several passages as one."""
    return Passage(sum(one.sent for one in passages), tuple(sorted(wait for one in passages for wait in one.waits)))


@dataclass(frozen=True, slots=True)
class Flow:
    """Stages that run. base: of the ports where they show their metrics. environ: what they were started with.

    supervisor: the process whose children they are.
    """

    setting: Setting
    base: int
    environ: Mapping[str, str]
    supervisor: psutil.Process

    def run(self, name: str, rate: int, seconds: float, target: str = "leads.enriched") -> Passage:
        """Send leads for `seconds` at `rate` a second, each of a company of its own, and see them on `target`."""
        records = list(leads(name, int(rate * seconds)))
        full = self.setting.full
        sent, seen = passed(
            self.setting.cluster, full("leads.raw"), full(target), records, rate, event_of, 180, LINGER_MS
        )
        waits = [seen[one] - at for one, at in sent.items() if one in seen]
        return Passage(len(sent), tuple(sorted(waits)), _medians(waits))

    def calls(self, provider: str) -> int:
        """Return the requests to a provider that the processes count on their metrics pages."""
        return int(sum(self._counted(name, CALLS, "provider").get(provider, 0) for name in ("enrich", "pending")))

    def spent(self, stage: str) -> dict[str, float]:
        """Return the seconds that a stage's batches have spent so far, by step. Its page must be there."""
        return self._counted(stage, STEPS, "step")

    def processes(self, stage: str) -> list[psutil.Process]:
        """Return the processes of a stage that run now."""
        found = []
        for child in self.supervisor.children():
            with suppress(psutil.Error):  # it has ended since
                if stage in child.cmdline():
                    found.append(child)
        return found

    def _counted(self, stage: str, name: str, label: str) -> dict[str, float]:
        """Return a metric's values on a stage's page, by one label."""
        port = self.base + PORTS_A_STAGE * NAMES.index(stage)
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
        return {
            sample.labels[label]: sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name
        }


@contextmanager
def flowing(
    bootstrap: str, namespace: str, folder: Path, lab: Providers, stages: Sequence[str], **deadlines: float
) -> Iterator[Flow]:
    """Run `stages` under the supervisor over the lab's providers for the block, warmed by a few leads."""
    setting = prepared(bootstrap, namespace, folder)
    org_file = folder / f"{namespace}.yaml"
    org_file.write_text(yaml.safe_dump(lab.org(**deadlines)))
    base = free_base()
    environ = {**setting.environ, "LEADSTREAM_ORG_FILE": str(org_file), "LEADSTREAM_HTTP_PORT_BASE": str(base)}
    with running(python("-m", "streams.cli.main", "up", *stages), environ) as supervisor:
        flow = Flow(setting, base, environ, supervisor)
        flow.run("warm", 50, 2)
        yield flow


def leads(name: str, count: int) -> Iterator[Outgoing]:
    """Yield submissions that know little of their company, so that a provider is asked for each."""
    for number in range(count):
        event_id = f"{name}-{number}"
        fields = {
            "id": event_id,
            "email": f"someone@{name}{number}.example",
            "name": "Some One",
            "action": inputs.ACTIONS[number % 4],
            "source": "web",
        }
        headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_type": "lead.submitted", "ce_source": "bench"}
        yield Outgoing(event_id, orjson.dumps(fields), headers)


def event_of(value: bytes) -> str | None:
    """Return the id of the submission that a record is about; None for a later update of it."""
    found = orjson.loads(value)
    if found.get("is_late") or found.get("kind") == "escalated":
        return None
    return str(found["lead"]["event_id"])


def _medians(waits: Sequence[float]) -> tuple[float, ...]:
    """Return the median wait of each part of the run, in the order of sending."""
    size = -(-len(waits) // PARTS) or 1
    return tuple(median(waits[at : at + size]) for at in range(0, len(waits), size))
