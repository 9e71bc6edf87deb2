import os
import signal
import subprocess
import sys
from pathlib import Path

from notifiers.attempts import FileAttemptLog


def test_a_key_begun_and_not_committed_is_known_to_the_next_process(tmp_path: Path) -> None:
    log = FileAttemptLog(tmp_path / "attempts.log")
    log.begin("a")
    log.begin("b")
    log.committed(["a"])
    assert not log.was_begun("b")
    after = FileAttemptLog(tmp_path / "attempts.log")
    assert after.was_begun("b")
    assert not after.was_begun("a")


def test_an_inherited_key_outlives_a_second_crash_and_ends_with_its_commit(tmp_path: Path) -> None:
    FileAttemptLog(tmp_path / "attempts.log").begin("a")
    second = FileAttemptLog(tmp_path / "attempts.log")
    second.begin("b")
    third = FileAttemptLog(tmp_path / "attempts.log")
    assert third.was_begun("a")
    third.committed(["a", "b"])
    assert not FileAttemptLog(tmp_path / "attempts.log").was_begun("a")


def test_the_file_is_emptied_when_nothing_is_open(tmp_path: Path) -> None:
    path = tmp_path / "attempts.log"
    log = FileAttemptLog(path)
    for number in range(1000):
        log.begin(str(number))
    log.committed(map(str, range(1000)))
    assert path.stat().st_size == 0


def test_the_file_stays_small_while_something_is_always_open(tmp_path: Path) -> None:
    path = tmp_path / "attempts.log"
    log = FileAttemptLog(path)
    log.begin("stays")
    for number in range(40_000):
        log.begin(f"{number:036d}")
        log.committed([f"{number:036d}"])
    assert path.stat().st_size < 1_200_000
    assert FileAttemptLog(path).was_begun("stays")


def test_a_half_written_last_line_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "attempts.log"
    path.write_text("+a\n+b\n-a\n+c-c-c")
    log = FileAttemptLog(path)
    assert log.was_begun("b")
    assert not log.was_begun("a")


def test_a_begun_key_survives_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "attempts.log"
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom notifiers.attempts import FileAttemptLog\n"
        f"FileAttemptLog(Path({str(path)!r})).begin('a')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert done.returncode == -signal.SIGKILL
    assert FileAttemptLog(path).was_begun("a")
