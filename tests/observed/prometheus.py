"""Prometheus and promtool as they come from the system: a missing one is a failure that says what to install."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.ports import free_port
from tests.waiting import eventually

RULES = Path(__file__).parents[2] / "deploy" / "prometheus"
RULE_FILES = tuple(RULES / f"{name}.yml" for name in ("recording", "slo", "alerts"))
READY_SECONDS = 240.0


def tool(name: str) -> str:
    """Return the path of `promtool` or `prometheus`. Raises AssertionError where it is not installed."""
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed: `make tools` does it (Debian), then run this again"
    return found


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the instant vector of a query, without NaN. Raises AssertionError with Prometheus' own words."""
        return [row for row in self._asked("query", {"query": expr}) if _is_number(row["value"])]

    def query_over(self, expr: str, seconds: float) -> list[dict[str, Any]]:
        """Return the series that had a number within the last `seconds`, looked at for each: as a panel draws them.

        A scrape that a busy process answers too late leaves a gap in a gauge; an instant can fall into it.
        """
        now = time.time()
        asked = {"query": expr, "start": str(now - seconds), "end": str(now), "step": "1"}
        return [row for row in self._asked("query_range", asked) if any(map(_is_number, row["values"]))]

    def _asked(self, way: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v1/{way}", params=params, timeout=60).json()
        assert answer["status"] == "success", f"{params}: {answer}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def firing(self, severity: str = "page|ticket") -> frozenset[str]:
        """Return the names of the alerts that fire; of one on a budget with its objective, "BudgetBurns (told)"."""
        rows = self.query(f'ALERTS{{alertstate="firing", severity=~"{severity}"}}')
        return frozenset(_named(row["metric"]) for row in rows)


def _is_number(sample: Sequence[Any]) -> bool:
    return sample[1] not in ("NaN", "+Inf", "-Inf")


def _named(labels: Mapping[str, str]) -> str:
    return labels["alertname"] + (f" ({labels['slo']})" if "slo" in labels else "")


@contextmanager
def prometheus(
    folder: Path, targets: Sequence[str], interval: str = "1s", rule_files: Sequence[Path] = RULE_FILES
) -> Iterator[Prometheus]:
    """Yield a server with rules, the product's by default, that scrapes `targets`; it ends with the block."""
    config = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(path) for path in rule_files],
        "scrape_configs": [{"job_name": "leadstream", "static_configs": [{"targets": list(targets)}]}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    url = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address={url}",
                "--enable-feature=exemplar-storage",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _await_ready(url, process, folder / "prometheus.log")
        yield Prometheus(f"http://{url}")
    finally:
        process.terminate()
        process.wait(120)


def _await_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    def is_ready() -> bool:
        assert process.poll() is None, f"it ended: {log.read_text()[-2000:]}"
        try:
            return httpx.get(f"http://{url}/-/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    eventually(is_ready, lambda: f"Prometheus to be ready: {log.read_text()[-2000:]}", READY_SECONDS, look=0.1)
