"""How fast a lost store is built again from its changelog."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from tests.bench import inputs
from tests.bench.process import python, running
from tests.bench.progress import measure
from tests.bench.setting import Setting, prepared, stage

GROUP_PARTITIONS = 6
CHANGELOG = "state.score"


@dataclass(frozen=True, slots=True)
class Restore:
    """keys: in the changelog; seconds: from asking for its end to the last record folded.

    bare_seconds: of a bare consumer from its start until it had read the same records.
    """

    keys: int
    seconds: float
    bare_seconds: float

    @property
    def per_second(self) -> float:
        return self.keys / self.seconds

    @property
    def ratio(self) -> float:
        return self.bare_seconds / self.seconds


def run(bootstrap: str, folder: Path, people: int) -> tuple[Restore, Restore]:
    """Let SCORE meet `people` people, delete its folder, and read from its log what the restore took.

    And once more with its changelog ten times as long: what a restore takes whatever there is weighs a tenth there.
    """
    setting = prepared(bootstrap, "bench-restore", folder)
    setting.records.write("leads.enriched", inputs.enriched(people))
    with stage(setting, "score"):
        measure(bootstrap, setting.full("score"), setting.full("leads.enriched"), GROUP_PARTITIONS)
    found = _restored(setting, "once")
    _lengthen(setting)
    return found, _restored(setting, "lengthened")


def _restored(setting: Setting, name: str) -> Restore:
    shutil.rmtree(setting.environ["LEADSTREAM_STATE_DIR"])
    log = setting.folder / f"restore-{name}.log"
    command = ["/bin/sh", "-c", f"exec {' '.join(python('-m', 'streams.cli.main', 'run', 'score'))} >{log} 2>&1"]
    deadline = time.monotonic() + 60
    with running(command, {**setting.environ, "LEADSTREAM_LOG_LEVEL": "info"}):
        said = _said(log, deadline)
    return Restore(int(said["records"]), float(said["elapsed_seconds"]), _bare_seconds(setting))


def _said(log: Path, deadline: float) -> dict[str, Any]:
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines() if log.exists() else ():
            said: dict[str, Any] = json.loads(line)
            if said.get("event") == "state.restored":
                return said
        time.sleep(0.05)
    raise TimeoutError("SCORE did not restore in 60 s")


def _lengthen(setting: Setting, times: int = 10) -> None:
    """Write each record of the changelog `times - 1` times more, each under a key of its own."""
    settings = {"linger.ms": 20, "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000}
    producer = Producer({"bootstrap.servers": setting.cluster.bootstrap, **settings})
    for message in list(_read(setting)):  # all of it first: what is written moves the end that is read to
        for number in range(1, times):
            key = (message.key() or b"") + b"~%d" % number
            producer.produce(setting.full(CHANGELOG), message.value(), key, message.partition() or 0)
        producer.poll(0)
    producer.flush()


def _bare_seconds(setting: Setting) -> float:
    began = time.monotonic()
    for message in _read(setting):
        message.key()
        message.value()
    return time.monotonic() - began


def _read(setting: Setting) -> Iterator[Message]:
    """Read the changelog to its end, as plainly as a restore reads it."""
    reader = Consumer(
        {
            "bootstrap.servers": setting.cluster.bootstrap,
            "group.id": "bench-restore",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
            "queued.max.messages.kbytes": 4096,
            "fetch.queue.backoff.ms": 5,
        }
    )
    unread = set(range(GROUP_PARTITIONS))
    try:
        reader.assign([TopicPartition(setting.full(CHANGELOG), number, 0) for number in unread])
        while unread:
            for message in reader.consume(2_000, 0.02):
                if message.error() is None:
                    yield message
                else:
                    unread.discard(message.partition() or 0)
    finally:
        reader.close()
