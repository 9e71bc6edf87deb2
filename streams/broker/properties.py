"""The settings of the embedded broker: one node, small, quick to start, safe for what it is told to keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ports:
    """Where clients connect, and where the node talks to itself as its own controller."""

    client: int
    controller: int


LOG4J = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


def server_properties(log_dir: Path, ports: Ports) -> dict[str, str]:
    """Return the broker's settings. All listeners are on the loopback interface: there is no authentication."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.client},CONTROLLER://127.0.0.1:{ports.controller}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports.controller}",
        "log.dirs": str(log_dir),
        "auto.create.topics.enable": "false",  # a mistyped topic is an error, not a topic with default settings
        # One node: internal topics can have one replica only, and need few partitions.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "offsets.retention.minutes": str(30 * 24 * 60),  # a demo left alone for a week goes on where it was
        "group.initial.rebalance.delay.ms": "0",  # nobody else is about to join: 3 s saved at each first start
        "group.min.session.timeout.ms": "1000",  # tests of expelled members need not wait for 6 s
        "broker.heartbeat.interval.ms": "200",  # the node is told by its own controller that it is up: 2 s saved
        # A node comes back only when its former self is held for dead: a second start took 11 s at the default of 9 s.
        "broker.session.timeout.ms": "2000",
        # Small: two cores, a laptop that does other things too.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "num.recovery.threads.per.data.dir": "2",
        "log.cleaner.threads": "1",
        "log.cleaner.dedupe.buffer.size": "8388608",  # the default of 128 MiB is half of the heap
        "log.cleaner.backoff.ms": "5000",
        "log.index.size.max.bytes": "1048576",  # 10 MiB a segment otherwise, for 100 partitions
    }


ADDED = ("listeners", "listener.security.protocol.map")


def with_more(properties: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return the settings with `more` beside or instead of them; listeners are added, so that ours still answers."""
    added = {name: f"{properties[name]},{more[name]}" for name in ADDED if name in more}
    return {**properties, **more, **added}


def rendered(properties: Mapping[str, str]) -> str:
    """Return the text of a Java properties file (backslashes doubled, the only escape our values need)."""
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in properties.items())
