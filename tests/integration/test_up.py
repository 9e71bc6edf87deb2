"""`leadstream up` on a real broker: restarts what dies, gives up loudly, ends all, leaves nobody behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from streams.kafka.config import ClusterSettings
from tests.waiting import eventually


@dataclass(slots=True)
class Up:
    """One run of the supervisor, over two stages."""

    process: "subprocess.Popen[bytes]"
    said_file: Path

    @property
    def said(self) -> str:
        return self.said_file.read_text()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def pid_of(self, slot: str) -> int:
        return int(re.findall(rf"{slot} (?:re)?started \(pid (\d+)\)", self.said)[-1])

    def saw(self, text: str, times: int = 1) -> None:
        try:
            eventually(lambda: self.said.count(text) >= times, text, 240)
        except AssertionError as error:
            raise AssertionError(self.said) from error


END_SECONDS = 240.0  # for all to end, however busy the machine
COMMAND = (sys.executable, "-m", "streams.cli.main")
# The command with two constants changed: ten crashes take 40 s at the real back-offs, which double up to 15 s; and on a
# busy machine ten starts may take longer than the two minutes within which they count.
IMPATIENT = (
    sys.executable,
    "-c",
    "import sys; from streams import supervisor; from streams.cli.main import main;"
    "supervisor.LONGEST_BACKOFF_SECONDS = 0.2; supervisor.CRASH_LIMIT = 4; main()",
)


def start(
    cluster: ClusterSettings,
    folder: Path,
    stages: Sequence[str] = ("track", "timers"),
    command: Sequence[str] = COMMAND,
    **settings: str,
) -> Up:
    environment = {
        **os.environ,
        "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
        "LEADSTREAM_NAMESPACE": cluster.namespace,
        "LEADSTREAM_STATE_DIR": str(folder / "state"),
        "LEADSTREAM_PERSON_SECRET": "0123456789abcdef",
        "LEADSTREAM_HTTP_PORT_BASE": "0",
        **settings,
    }
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([*command, "up", *stages], env=environment, stderr=said, start_new_session=True)
    return Up(process, folder / "said")


@pytest.fixture
def running(topics: ClusterSettings, tmp_path: Path) -> Iterator[Up]:
    up = start(topics, tmp_path)
    try:
        yield up
    finally:
        _end(up)


def _end(up: Up) -> None:
    if up.process.poll() is None:
        left = up.children()
        up.process.kill()
        up.process.wait()
        for child in left:
            if child.is_running():
                child.kill()


def test_a_child_that_is_killed_is_started_again(running: Up) -> None:
    running.saw("timers-0 started")
    first = running.pid_of("timers-0")
    os.kill(first, signal.SIGKILL)
    running.saw("timers-0 ended with SIGKILL")
    running.saw("timers-0 restarted")
    assert running.pid_of("timers-0") != first
    assert running.said.count("track-0 ") == 1, "the others go on"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_within_ten_seconds_and_nobody_is_left(running: Up, number: signal.Signals) -> None:
    running.saw("timers-0 started")
    running.saw("track-0 started")
    children = running.children()
    assert len(children) == 2
    running.process.send_signal(number)
    assert running.process.wait(END_SECONDS) == 0
    assert "killed: it did not leave" not in running.said, "each left by itself within the time that it is given"
    assert not any(child.is_running() for child in children)
    assert running.said.strip().endswith("stopped")


def test_children_do_not_outlive_a_supervisor_that_is_killed(running: Up) -> None:
    running.saw("timers-0 started")
    running.saw("track-0 started")
    children = running.children()
    running.process.kill()
    running.process.wait()
    eventually(lambda: not any(child.is_running() for child in children), "the children to end", 240)


def test_a_slot_that_crashes_again_and_again_is_given_up_loudly(cluster: ClusterSettings, tmp_path: Path) -> None:
    """Kafka answers, but the topics are not there: each start ends with the same reason."""
    up = start(cluster, tmp_path, ["track"], IMPATIENT)
    try:
        assert up.process.wait(120) == 1
        assert "given up" in up.said
        assert "ended 4 times within 120 s though Kafka answers" in up.said
        assert up.said.count("stopped") >= 1
    finally:
        _end(up)


def test_crashes_while_no_broker_answers_are_not_counted(tmp_path: Path) -> None:
    up = start(ClusterSettings(bootstrap="127.0.0.1:1", namespace="t"), tmp_path)
    try:
        up.saw("timers-0 started")
        os.kill(up.pid_of("timers-0"), signal.SIGKILL)
        up.saw("timers-0 restarted")
        assert up.process.poll() is None
        log = tmp_path / "state" / "logs" / "track-0.log"
        eventually(lambda: "broker.unreachable" in log.read_text(), "one line on the broker", 240)
    finally:
        _end(up)


def test_the_feed_runs_beside_the_stages_and_ends_with_them(topics: ClusterSettings, tmp_path: Path) -> None:
    receiver = '{"url": "https://dw.example/in", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "events": ["*"]}'
    up = start(topics, tmp_path, ["feed"], LEADSTREAM_CHANNELS=f'{{"webhooks": {{"dw": {receiver}}}}}')
    try:
        up.saw("feed-0 started")
        log = tmp_path / "state/logs/feed-0.log"
        eventually(lambda: "feed.began" in log.read_text(), lambda: log.read_text(), 240)
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(END_SECONDS) == 0
        assert "feed-0 stopped\n" in up.said
    finally:
        _end(up)
