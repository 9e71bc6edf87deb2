"""How fast a lost store is built again from its changelog."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench import inputs
from tests.bench.process import python, running
from tests.bench.progress import measure
from tests.bench.setting import Setting, prepared, stage

GROUP_PARTITIONS = 6


@dataclass(frozen=True, slots=True)
class Restore:
    """keys: in the changelog; seconds: from asking for its end to the last record folded."""

    keys: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.keys / self.seconds


def run(bootstrap: str, folder: Path, people: int) -> Restore:
    """Let SCORE meet `people` people, delete its folder, and read from its log what the restore took."""
    setting = prepared(bootstrap, "bench-restore", folder)
    setting.records.write("leads.enriched", inputs.enriched(people))
    with stage(setting, "score"):
        measure(bootstrap, setting.full("score"), setting.full("leads.enriched"), GROUP_PARTITIONS)
    shutil.rmtree(setting.environ["LEADSTREAM_STATE_DIR"])
    return _restored(setting)


def _restored(setting: Setting) -> Restore:
    log = setting.folder / "restore.log"
    command = ["/bin/sh", "-c", f"exec {' '.join(python('-m', 'streams.cli.main', 'run', 'score'))} >{log} 2>&1"]
    deadline = time.monotonic() + 60
    with running(command, {**setting.environ, "LEADSTREAM_LOG_LEVEL": "info"}):
        while time.monotonic() < deadline:
            for line in log.read_text().splitlines() if log.exists() else ():
                said = json.loads(line)
                if said.get("event") == "state.restored":
                    return Restore(int(said["records"]), float(said["elapsed_seconds"]))
            time.sleep(0.05)
    raise TimeoutError("SCORE did not restore in 60 s")
