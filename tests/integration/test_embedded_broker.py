"""The embedded broker: what it keeps, what it survives, and that it leaves nothing behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import psutil
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.broker import archive, embedded, folder, jars
from streams.broker.embedded import Broker, BrokerDidNotStart, start, start_at
from streams.broker.folder import Folder, FolderBusy
from streams.broker.ports import CHOICES, PortTaken, free_ports, is_free
from streams.broker.warming import warm
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings, admin_config
from tests.conftest import FEW_PARTITIONS
from tests.records import Outgoing, Records
from tests.waiting import eventually

STARTER = """
import signal, sys, time
from pathlib import Path
from streams.broker.embedded import start
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it starts behind itself
with start(Path(sys.argv[1]), port=int(sys.argv[2])) as broker:
    print(broker.pid, flush=True)
    time.sleep(120)
"""


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_unlocked(home: Folder) -> bool:
    try:
        os.close(folder.lock(home))
    except FolderBusy:
        return False
    return True


def kill_if_alive(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def port() -> int:
    """A free port that no other test session is likely to want."""
    return next(free_ports(CHOICES[os.getpid() % len(CHOICES)]))


@pytest.fixture
def running(tmp_path: Path, port: int) -> Iterator[Broker]:
    with start(tmp_path / "data", port=port) as broker:
        yield broker


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that is as it was after each test: one for all that leave it so. It takes seven seconds to start one."""
    with start(tmp_path_factory.mktemp("standing") / "data", port=CHOICES[(os.getpid() + 7) % len(CHOICES)]) as broker:
        yield broker


def written(broker: Broker, count: int) -> Records:
    """Make the topics, write `count` acknowledged leads, and return the reader of them."""
    records = Records(ClusterSettings(bootstrap=broker.bootstrap))
    kafka_topics.create(records.settings, FEW_PARTITIONS)
    records.write("leads.raw", [Outgoing(str(n), {"n": n}) for n in range(count)])
    return records


def numbers(records: Records) -> list[int]:
    return sorted(record.json["n"] for record in records.read_all("leads.raw"))


def test_a_second_start_goes_on_with_the_data_and_the_port(tmp_path: Path, port: int) -> None:
    with start(tmp_path / "data", port=port) as first:
        records = written(first, 50)
    assert not is_alive(first.pid)
    with start(tmp_path / "data") as second:
        assert second.bootstrap == first.bootstrap
        assert numbers(records) == list(range(50))


def test_a_killed_broker_recovers_what_it_had_acknowledged(running: Broker) -> None:
    records = written(running, 500)
    running.kill()
    assert not running.is_running
    with running.restarted() as again:
        assert again.bootstrap == running.bootstrap
        assert numbers(records) == list(range(500))
        assert kafka_topics.create(records.settings, FEW_PARTITIONS) == ()


def test_a_paused_broker_does_not_answer_and_then_goes_on(standing: Broker) -> None:
    records = written(standing, 5)
    standing.pause()
    with pytest.raises(KafkaException, match=r"_TRANSPORT|_TIMED_OUT"):
        AdminClient(admin_config(records.settings)).list_topics(timeout=1)
    standing.resume()
    assert numbers(records) == list(range(5))


def test_a_paused_broker_can_be_stopped(running: Broker) -> None:
    running.pause()
    running.stop()
    assert not is_alive(running.pid)


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path, standing: Broker) -> None:
    with start(tmp_path / "other", port=standing.port) as other:
        assert other.port != standing.port
        assert AdminClient(admin_config(ClusterSettings(bootstrap=other.bootstrap))).list_topics(timeout=60).brokers


def test_data_moves_to_another_port_when_its_own_is_taken(running: Broker) -> None:
    records = written(running, 20)
    running.stop()
    with socket.create_server(("127.0.0.1", running.port)), start(running.data_dir) as moved:
        assert moved.port != running.port
        assert numbers(Records(records.settings.model_copy(update={"bootstrap": moved.bootstrap}))) == list(range(20))


def test_a_port_lost_to_a_race_is_replaced_too(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", port)):
        others = free_ports(port)
        seemed_free = chain((port,), others)
        monkeypatch.setattr(embedded, "free_ports", lambda wanted: seemed_free if wanted == port else others)
        with start(tmp_path / "data", port=port) as broker:
            assert broker.port != port


def test_a_port_that_must_be_had_and_is_taken_is_an_error(tmp_path: Path, standing: Broker) -> None:
    with pytest.raises(PortTaken, match=f"Port {standing.port}"):
        start_at(tmp_path / "other", standing.port)


def test_a_second_start_on_a_folder_in_use_is_refused_and_names_the_first(standing: Broker) -> None:
    with pytest.raises(FolderBusy, match=f"pid {standing.pid}, {standing.bootstrap}"):
        start(standing.data_dir)


def test_a_broker_that_ends_while_starting_shows_its_log(tmp_path: Path, port: int) -> None:
    home = Folder(tmp_path / "data")
    home.kafka_dir.mkdir(parents=True)
    (home.kafka_dir / "meta.properties").write_text("version=9\nnode.id=1\n")
    home.formatted.write_text(folder.new_cluster_id())
    with pytest.raises(BrokerDidNotStart, match=r"whole log: .*broker\.log"):
        start(tmp_path / "data", port=port)


def test_an_interrupted_format_is_done_again(tmp_path: Path, port: int) -> None:
    half = tmp_path / "data" / "kafka"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("version=1\n")
    with start(tmp_path / "data", port=port) as broker:
        assert broker.is_running


def test_the_archive_of_classes_is_made_once_and_the_jvm_takes_it(tmp_path: Path) -> None:
    made = warm()  # half a minute where nothing made it before
    assert made is not None
    written_at = made.stat().st_mtime_ns
    assert warm() == made
    assert made.stat().st_mtime_ns == written_at
    java = embedded.java_command(jars.default_cache_dir())
    assert archive.is_usable(java, made)
    torn = tmp_path / "torn.aot"
    torn.write_bytes(made.read_bytes()[:-4096])
    assert not archive.is_usable(java, torn)


def test_a_broken_archive_is_passed_over_without_a_word(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.aot"
    broken.write_bytes(b"no archive")
    monkeypatch.setattr(archive, "path", lambda _: broken)
    with start(tmp_path / "data", port=port) as broker:
        assert broker.is_running
        assert "[aot" not in Folder(broker.data_dir).log.read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted by Ctrl-C"])
def test_no_process_is_left_when_the_parent_is(tmp_path: Path, port: int, how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "data"), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    assert parent.stdout is not None
    with parent.stdout as lines, contextlib.ExitStack() as cleanup:
        pid = int(lines.readline())
        cleanup.callback(kill_if_alive, pid)
        assert is_alive(pid) and not is_free(port)
        os.killpg(parent.pid, how)  # as a terminal does: the whole foreground group
        parent.wait(120)
        eventually(lambda: not is_alive(pid), "the end of the broker")
    eventually(lambda: is_free(port), "the port free again")  # the system takes a moment to take back what it had
    eventually(lambda: is_unlocked(Folder(tmp_path / "data")), "the folder free again")
