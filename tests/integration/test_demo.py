"""The demo as a person sees it: in a terminal, until Ctrl-C."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.waiting import eventually

SHOWN_SECONDS = 400.0
STOPPED_SECONDS = 240.0
# The command with two constants changed: a busy machine gets longer until all is shown.
PATIENT = (
    "import sys; from streams.cli.main import main; from streams.demo import show;"
    "show.READY_SECONDS = show.SHOW_SECONDS = 180.0; sys.argv[1:] = ['demo']; main()"
)


@dataclass
class Terminal:
    """A pseudo terminal: everything that was printed, escape codes left out."""

    descriptor: int
    process: "subprocess.Popen[bytes]"
    printed: str = ""
    raw: bytes = field(default=b"", repr=False)

    def wait_for(self, text: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.printed:
            assert time.monotonic() < deadline, f"{text!r} was not printed in {seconds} s:\n{self.printed[-3000:]}"
            assert self.read(0.2) or self.process.poll() is None, f"it ended:\n{self.printed[-3000:]}"

    def read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return False
        try:
            self.raw += os.read(self.descriptor, 65_536)
        except OSError:  # the other end is closed
            return False
        self.printed = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.raw.decode(errors="replace"))
        return True


def test_the_demo_shows_all_it_promises_takes_a_lead_of_ones_own_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", PATIENT],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "160", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        terminal = Terminal(ours, process)
        try:
            terminal.wait_for("Ctrl-C ends everything", SHOWN_SECONDS)
            summary = terminal.printed[terminal.printed.index("What happened") :]
            assert summary.count("yes  ") == 6
            assert "NO  " not in summary
            left = psutil.Process(process.pid).children(recursive=True)
            assert len(left) >= 8  # the broker, the supervisor, seven stages
            (address,) = re.findall(r"curl (http://\S+)/leads", terminal.printed)
            (board,) = re.findall(r"look at the board: (http://\S+)", terminal.printed)
            eventually(
                lambda: "<b>209</b><span>arrived" in httpx.get(board, timeout=60).text, "all 209 leads on the board"
            )
            sent = httpx.post(f"{address}/leads", json={"email": "me@adobe.com", "action": "demo"}, timeout=60)
            assert sent.status_code == 202
            terminal.wait_for("me@adobe.com", SHOWN_SECONDS)
            process.send_signal(signal.SIGINT)
            terminal.wait_for("Stopping ...", STOPPED_SECONDS)
            deadline = time.monotonic() + STOPPED_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                terminal.read(0.2)
            assert process.poll() == 0, terminal.printed[-2000:]
            _, alive = psutil.wait_procs(left, timeout=60)
            assert alive == []
            assert list((tmp_path / ".leadstream").iterdir()) == []
        finally:
            process.kill()
            os.close(ours)
