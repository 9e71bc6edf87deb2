"""The provider process of `provider_server` from the side of a test: started, told how to behave, asked what it got."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.lab.provider_server import DOORS, Mood

_MAPPING = {
    "domain": "site",
    "name": "name",
    "employees": "size",
    "industry": "sector",
    "country": "country",
    "state": "state",
}


@dataclass(frozen=True, slots=True)
class Providers:
    """A running lab. urls: door -> base URL, and "desk"."""

    urls: dict[str, str]

    def turn(self, door: str, mood: Mood) -> None:
        """Make a door behave so from now on."""
        httpx.post(f"{self.urls['desk']}/mood/{door}", json=mood.body(), timeout=60).raise_for_status()

    def calls(self) -> dict[str, int]:
        """Return the requests that each door has taken so far."""
        found: dict[str, int] = httpx.get(f"{self.urls['desk']}/calls", timeout=60).json()
        return found

    def org(self, **deadlines: float) -> dict[str, Any]:
        """Return an org file with both doors as providers, the primary first. deadlines: seconds of `Deadlines`."""
        rows = [
            {
                "name": door,
                "kind": "http",
                "http": {
                    "url": f"{self.urls[door]}/v1/{{domain}}",
                    "mapping": _MAPPING,
                    "allow_hosts": ["127.0.0.1"],
                },
            }
            for door in DOORS
        ]
        return {"divisions": [{"name": "main"}], "enrichment": {"providers": rows, "deadlines": deadlines}}


@contextmanager
def providers_serving() -> Iterator[Providers]:
    """Run the lab for the block."""
    command = [sys.executable, "-m", "tests.lab.provider_server"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Providers(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
