"""`make bench`: what leadstream costs, as ratios to a bare loop and to peers in the same run. A table and JSON.

Nothing here passes or fails: the machine is shared, and absolute figures mean little.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.broker.embedded import start
from tests.bench import (
    board,
    chain,
    decisions,
    inputs,
    notices,
    restoring,
    stages,
    telling,
    throughput,
    timers,
    traces,
)
from tests.bench.enrichment import outage, slow
from tests.bench.process import python
from tests.bench.setting import ROOT, prepared

PEERS = ROOT / ".venv-peers"
RATES = (20, 100, 500)


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = (
        "throughput",
        "peers",
        "latency",
        "restore",
        "kill",
        "decisions",
        "stages",
        "timers",
        "notices",
        "notify",
        "board",
        "enrichment",
        "traces",
    )
    parser.add_argument("--only", choices=parts)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--full", action="store_true", help="decisions: the whole grid, up to 1,000,000 open leads")
    parser.add_argument("--json", type=Path, default=ROOT / ".leadstream" / "bench.json")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    console = Console()
    with tempfile.TemporaryDirectory(prefix="leadstream-bench-") as scratch:
        folder = Path(scratch)
        if asked.only in (None, "decisions"):
            grid = decisions.FULL if asked.full else decisions.SMALL
            found.update(decisions.run(grid, lambda name, figures: console.print(f"{name}: {_told(figures)}")))
        if asked.only in (None, "stages"):
            found.update(stages.run())
        if asked.only in (None, "notices"):
            found.update(notices.run(lambda name, figures: console.print(f"{name}: {_told(figures)}")))
        if asked.only not in ("decisions", "stages", "notices"):
            with start(folder / "kafka") as broker:
                _measured(broker.bootstrap, folder, asked.only, asked.records, found, console)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(found, indent=2) + "\n")
    console.print(_table(found))
    console.print(f"JSON: {asked.json}")


def _measured(
    bootstrap: str, folder: Path, only: str | None, count: int, found: dict[str, Any], console: Console
) -> None:
    if only in (None, "throughput"):
        for case in throughput.CASES:
            console.print(f"throughput of {case.stage} ...")
            one = throughput.run(bootstrap, folder, case, count)
            found[f"throughput {case.stage}"] = {
                "per second": round(one.per_second),
                "copy loop per second": round(one.copy_per_second),
                "ratio": round(one.ratio, 2),
                "resident MB": round(one.resident_bytes / 1e6),
                "us of processor": one.processor,
                **{f"us of {step}": spent for step, spent in one.steps.items()},
            }
    if only in (None, "peers"):
        console.print("pass-through of peers ...")
        found.update(_peers(bootstrap, folder, count))
    if only in (None, "latency"):
        console.print("latency end to end ...")
        found.update(_latency(bootstrap, folder))
    if only in (None, "restore"):
        console.print("restore ...")
        for restore in restoring.run(bootstrap, folder, count):
            found[f"restore score, {restore.keys:,} keys"] = {
                "seconds": round(restore.seconds, 2),
                "per second": round(restore.per_second),
                "bare consumer per second": round(restore.keys / restore.bare_seconds),
                "ratio": round(restore.ratio, 2),
            }
    if only in (None, "kill"):
        console.print("SIGKILL to next commit ...")
        waits = sorted(chain.kill_to_commit(bootstrap, folder, 5))
        found["kill to commit"] = {"p50 s": round(waits[len(waits) // 2], 2), "max s": round(waits[-1], 2)}
    if only == "board":  # five minutes, so only when asked for
        console.print("the board: 500 leads a second, twenty browsers, five minutes ...")
        found["board, 500 leads/s, 20 browsers"] = board.summary(board.soak(bootstrap, folder, 500, 300))
        console.print("what the board costs the stages, by turns ...")
        told = board.beside_summary(board.beside(bootstrap, folder, 20))
        found["raw to assigned beside the board, 20/s"] = told
    if only in (None, "traces"):
        console.print("stages with traces and without ...")
        found.update(traces.run(bootstrap, folder, count))
    if only in (None, "enrichment"):
        console.print("slow providers at 500 leads a second, then a dead one at 100 ...")
        found.update(slow.run(bootstrap, folder, 500, 20))
        found.update(outage.run(bootstrap, folder, 100, 60))
    if only in (None, "timers"):
        console.print("timers: memory, restore, fires ...")
        found.update(timers.run(bootstrap, folder))
    if only in (None, "notify"):
        console.print("raw to receipt; POST /leads?wait ...")
        found.update(telling.run(bootstrap, folder))


def _peers(bootstrap: str, folder: Path, count: int) -> dict[str, Any]:
    case = throughput.Case("peers", "leads.enriched", inputs.enriched)
    setting = prepared(bootstrap, "bench-peers", folder)
    setting.records.write(case.topic, case.records(count))
    copy = throughput.copied(setting, case, python("-m", "tests.bench.copy_loop"), "copy").per_second
    faust = throughput.copied(setting, case, python("-m", "tests.bench.peers.faust_pass"), "faust").per_second
    script = str(ROOT / "tests" / "bench" / "peers" / "quix_pass.py")
    quix = throughput.copied(setting, case, [_quix_python(), script], "quix").per_second
    return {
        f"pass-through {name}": {"per second": round(rate), "ratio": round(rate / copy, 2)}
        for name, rate in (("copy loop", copy), ("Faust", faust), ("quixstreams", quix))
    }


def _quix_python() -> str:
    """Return an interpreter with quixstreams: it pins an older confluent-kafka, so it has an environment of its own."""
    interpreter = PEERS / "bin" / "python"
    if not interpreter.exists():
        venv.create(PEERS, with_pip=True)
        uv = Path(sys.executable).parent / "uv"
        install = [str(uv), "pip", "install", "-q", "--python", str(interpreter)] if uv.exists() else []
        subprocess.run(
            [*(install or [str(interpreter), "-m", "pip", "install", "-q"]), "quixstreams>=3.20"], check=True
        )
    return str(interpreter)


def _latency(bootstrap: str, folder: Path) -> dict[str, Any]:
    chain.hop_chain(bootstrap, "bench-warm", ())
    own, resident = chain.own_chain(bootstrap, folder, RATES)
    hops = chain.hop_chain(bootstrap, "bench-hop", RATES)
    found: dict[str, Any] = {}
    for mine, bare in zip(own, hops, strict=True):
        found[f"raw to assigned at {mine.rate}/s"] = {
            "p50 ms": round(mine.p50 * 1000, 1),
            "p99 ms": round(mine.p99 * 1000, 1),
            "four hops p50 ms": round(bare.p50 * 1000, 1),
            "four hops p99 ms": round(bare.p99 * 1000, 1),
            "p50 ratio": round(mine.p50 / bare.p50, 2),
            "p99 ratio": round(mine.p99 / bare.p99, 2),
            "seen": f"{mine.seen}/{mine.sent}",
        }
    found["resident MB"] = {name: round(size / 1e6) for name, size in resident.items()}
    return found


def _table(found: dict[str, Any]) -> Table:
    table = Table("what", "figures")
    for name, figures in found.items():
        table.add_row(name, _told(figures))
    return table


def _told(figures: dict[str, Any]) -> str:
    return "  ".join(f"{key} {value}" for key, value in figures.items())


if __name__ == "__main__":
    main()
