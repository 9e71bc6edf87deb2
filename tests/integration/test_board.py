"""The board on a real broker: what it shows is what was decided, whatever is killed or deleted."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from schemas.decision import Decision, DecisionKind
from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings, producer_config, qualified
from tests.ports import free_port
from tests.records import Outgoing, Records
from tests.unit.streams.board.decisions import AT, decided, settled, standing
from tests.waiting import eventually

LEADS = 600
# The command with one constant changed: so long may somebody else write the board's file, and it goes on.
PATIENT = (
    sys.executable,
    "-c",
    "from streams.board import store; from streams.cli.main import main; store._WAIT_SECONDS = 600.0; main()",
)
NOW = datetime.now(UTC)  # what closed long ago is no longer kept


@dataclass(slots=True)
class BoardProcess:
    """One `leadstream board`, started again in the same folder as often as a test kills it."""

    cluster: ClusterSettings
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def file(self) -> Path:
        return self.folder / self.cluster.namespace / "board" / "board.sqlite"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **settings: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        environment |= {"LEADSTREAM_STATE_DIR": str(self.folder), "LEADSTREAM_BOARD_IS_OPEN": "true"} | settings
        where = ["--bootstrap", self.cluster.bootstrap, "--namespace", self.cluster.namespace]
        with (self.folder / "board.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*PATIENT, *where, "board", "--port", str(self.port)],
                env=environment,
                stderr=log,
            )

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(120)

    def count(self) -> int:
        """Return how many decisions it has taken in; 0 before there is a file."""
        try:
            with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as connection:
                counted = "SELECT coalesce(sum(json_array_length(row, '$.places')), 0) FROM leads"
                return int(connection.execute(counted).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing be taken in meanwhile: somebody else writes its file."""
        with closing(sqlite3.connect(self.file, isolation_level=None, timeout=120)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:  # refused, or no answer in time
            return False


@contextmanager
def board_on(cluster: ClusterSettings, folder: Path) -> Iterator[BoardProcess]:
    """Yield a board that is not started yet; none outlives the block."""
    board = BoardProcess(cluster, folder, free_port())
    try:
        yield board
    finally:
        if board.process is not None and board.process.poll() is None:
            board.process.kill()
            board.process.wait()


def decisions(leads: int, seed: int = 5) -> list[Decision]:
    """Return what happens to so many leads, in the order of the log."""
    chance = random.Random(seed)
    rows: list[Decision] = []
    for number in range(1, leads + 1):
        rows.append(
            decided(number=number, arrived=NOW, tier=chance.choice(("T1", "T2", "T3")), owner=f"r-{number % 7}")
        )
        if chance.random() < 0.3:
            rows.append(decided(DecisionKind.REASSIGNED, number, 600, arrived=NOW, owner=f"r-{number % 5}", epoch=2))
        if chance.random() < 0.5:
            rows.append(decided(DecisionKind.CONTACTED, number, 700, arrived=NOW, sla=standing(NOW, contacted_at=NOW)))
        if chance.random() < 0.3:
            rows.append(decided(DecisionKind.CLOSED, number, 800, arrived=NOW, owner=None, sla=None))
    return rows


def written(values: list[Any]) -> list[Outgoing]:
    return [
        Outgoing(
            one.person, encode(one), {name: value.decode() for name, value in headers_for(f"e{n}", "t", "t", AT, {})}
        )
        for n, one in enumerate(values)
    ]


def truth(records: Records) -> dict[str, Any]:
    """Count what leads.assigned says, without the board's code."""
    last: dict[str, dict[str, Any]] = {}
    moves: Counter[str] = Counter()
    total = 0
    for record in records.read_all("leads.assigned"):
        decision, total = record.json, total + 1
        before = last.get(decision["lead_id"], {})
        owner = decision["owner"].get("id") or before.get("owner")
        sla = decision.get("sla") or {}
        moves[decision["lead_id"]] += decision["kind"] == "reassigned"
        last[decision["lead_id"]] = {
            "owner": owner,
            "tier": decision["tier"],
            "closed": decision["kind"] == "closed",
            "contacted": bool(sla.get("contacted_at") or before.get("contacted")),
        }
    return {"decisions": total, "leads": {lead: (*one.values(), moves[lead]) for lead, one in last.items()}}


def shown(board: BoardProcess) -> dict[str, Any]:
    """Count what the board's file says."""
    with closing(sqlite3.connect(f"file:{board.file}?mode=ro", uri=True)) as connection:
        leads = connection.execute(
            "SELECT lead_id, owner, tier, closed_at IS NOT NULL, contacted_at IS NOT NULL, moves FROM leads"
        )
        found = {
            lead: (owner, tier, bool(closed), bool(told), moves) for lead, owner, tier, closed, told, moves in leads
        }
        contacts = connection.execute("SELECT count(*) FROM leads WHERE closed_at IS NOT NULL AND contact IS NOT NULL")
        assert contacts.fetchone()[0] == 0
        marks = dict(connection.execute("SELECT what, sum(count) FROM minutes GROUP BY what").fetchall())
    assert marks["arrived"] == len(found)
    assert marks.get("closed", 0) == sum(one[2] for one in found.values())
    assert marks.get("contacted", 0) == sum(one[3] for one in found.values())
    return {"decisions": board.count(), "leads": found}


def test_killed_or_deleted_its_tables_equal_what_was_decided(records: Records, tmp_path: Path) -> None:
    rows = decisions(LEADS)
    half = len(rows) // 2
    with board_on(records.settings, tmp_path) as board:
        board.start()
        records.write("leads.assigned", written(rows[:half]))
        records.write("leads.notified", written([settled(one) for one in rows if one.kind is DecisionKind.ASSIGNED]))
        eventually(lambda: board.count() > 0, "the first decisions on the board", 240)
        board.end(signal.SIGKILL)
        records.write("leads.assigned", written(rows[half:]))
        board.start()
        eventually(lambda: board.count() > half, "decisions after the kill", 240)
        board.end(signal.SIGKILL)
        board.start()
        eventually(lambda: board.count() == len(rows), "all decisions", 240)
        assert shown(board) == truth(records)
        eventually(board.answers, "the board to answer", 240)
        assert board.end(signal.SIGTERM) == 0
        shutil.rmtree(board.file.parent)
        board.start()
        eventually(lambda: board.count() == len(rows), "all decisions, rebuilt from the topics", 240)
        assert shown(board) == truth(records)


def test_what_was_aborted_is_never_shown(records: Records, tmp_path: Path) -> None:
    cluster = records.settings
    producer = Producer(producer_config(cluster, "board-test"))
    producer.init_transactions(120)
    producer.begin_transaction()
    producer.produce(
        qualified(cluster.namespace, "leads.assigned"), key=decided().person, value=encode(decided(owner="aborted"))
    )
    producer.flush(120)
    producer.abort_transaction(120)
    records.write("leads.assigned", written([decided(number=number) for number in range(1, 30)]))
    with board_on(cluster, tmp_path) as board:
        board.start()
        eventually(lambda: board.count() == 29, "the committed decisions", 240)
        assert {one[0] for one in shown(board)["leads"].values()} == {"r-1"}
        eventually(board.answers, "an answer over HTTP", 240)
