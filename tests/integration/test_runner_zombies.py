"""A slot that was away and comes back writes nothing that anybody sees, and its successor misses nothing."""

import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Producer

from streams.kafka.config import SESSION_TIMEOUT_MS, ClusterSettings, producer_config, qualified
from tests.integration.slots import assert_exactly_once, leads, outputs, slots_of
from tests.records import Records
from tests.waiting import eventually


@pytest.mark.parametrize("successor", [1, 2], ids=["with the same ids", "of another slot"])
def test_a_slot_paused_past_its_session_is_fenced(
    topics: ClusterSettings, records: Records, tmp_path: Path, successor: int
) -> None:
    sent = leads(400)
    records.write("leads.raw", sent[:200])
    with slots_of(topics, tmp_path) as slots:
        zombie = slots.start()
        outputs(records, 200)
        zombie.signal(signal.SIGSTOP)
        expires_at = time.monotonic() + SESSION_TIMEOUT_MS / 1_000 + 1
        records.write("leads.raw", sent[200:])
        heir = slots.start(machine="there", slot=successor)
        outputs(records, 400)
        eventually(lambda: time.monotonic() > expires_at, "the end of the zombie's session")
        zombie.signal(signal.SIGCONT)
        assert zombie.exit_code() in (1, 3)
        assert len(zombie.logged("process.ended")) == 1
        heard_at = time.monotonic() + 3  # an heir that was put out of the group hears of it at its next heartbeat
        eventually(lambda: time.monotonic() > heard_at or heir.process.poll() is not None, "three heartbeats")
        assert heir.stop() == 0, heir.log_file.read_text()
    assert_exactly_once(records, Counter(record.key or "" for record in sent))


def test_a_slot_paused_inside_a_transaction_is_fenced(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    """The zombie holds a decided batch when it is paused; it goes on to commit it after its successor did."""
    sent = leads(1, do="pause", seconds=4.0)
    with slots_of(topics, tmp_path) as slots:
        zombie = slots.start().has("partitions.assigned")
        records.write("leads.raw", sent)
        marker = zombie.state_dir / topics.namespace / "enrich-1" / "marker"
        eventually(lambda: marker.read_bytes().startswith(b"1"), "the batch under way")
        zombie.signal(signal.SIGSTOP)
        heir = slots.start(machine="there")
        outputs(records, 1)
        zombie.signal(signal.SIGCONT)
        assert zombie.exit_code() == 3
        assert heir.stop() == 0, heir.log_file.read_text()
    assert_exactly_once(records, {"p0": 1})


def test_a_successor_that_restores_during_an_open_transaction_loses_no_state(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    """Another slot's transaction is open on the changelog while this one restores: it waits, then has its records."""
    # A stranger's: the broker would end one of ours after ten seconds, in which a busy machine starts no slot.
    open_one = Producer(producer_config(topics, "enrich-9") | {"transaction.timeout.ms": 600_000})
    open_one.init_transactions(120)
    open_one.begin_transaction()
    changelog = qualified(topics.namespace, "state.enrich")
    for partition in (0, 1):
        for person in range(20):
            open_one.produce(changelog, b'{"seen":10,"offset":0}', f"count/p{person}", partition)
    open_one.flush(120)
    with slots_of(topics, tmp_path) as slots:
        records.write("leads.raw", leads(20))
        heir = slots.start().has("process.started")
        heir.has("restore.waiting")
        open_one.commit_transaction(-1)
        found = outputs(records, 20)
        assert heir.stop() == 0, heir.log_file.read_text()
    assert {record.json["n"] for record in found} == {11}
