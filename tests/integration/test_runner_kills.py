"""A slot killed at any point neither loses nor doubles a record, in the output as in the store."""

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from streams.kafka.config import ClusterSettings
from streams.store.rocks import open_rocks
from tests.integration.slots import assert_exactly_once, folded, leads, outputs, slots_of, stored
from tests.records import Records
from tests.waiting import eventually


@pytest.mark.parametrize("point", ["after-produce", "inside-commit", "after-commit-before-fold"])
def test_a_kill_at_a_named_point_loses_and_doubles_nothing(
    topics: ClusterSettings, records: Records, tmp_path: Path, point: str
) -> None:
    sent = leads(1_000)
    records.write("leads.raw", sent)
    with slots_of(topics, tmp_path) as slots:
        first = slots.start(fault=f"{point}:4", batch_limit=100)
        assert first.exit_code() == -signal.SIGKILL
        second = slots.start(batch_limit=100)
        outputs(records, len(sent))
        assert second.stop() == 0
        assert_exactly_once(records, Counter(record.key or "" for record in sent))
        assert stored(second, topics) == folded(records)


def test_kills_at_random_lose_and_double_nothing(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    chance = random.Random(7)
    sent = leads(8_000)
    records.write("leads.raw", sent)
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(batch_limit=20)
        done = 0
        for _ in range(5):
            done = len(outputs(records, min(done + chance.randint(1, 1_000), len(sent))))
            slot.signal(signal.SIGKILL)
            assert slot.exit_code() == -signal.SIGKILL
            slot = slots.start(batch_limit=20)
        outputs(records, len(sent))
        assert slot.stop() == 0
        assert_exactly_once(records, Counter(record.key or "" for record in sent))
        assert stored(slot, topics) == folded(records)


def test_deleting_the_folder_loses_nothing(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    sent = leads(600)
    records.write("leads.raw", sent[:300])
    with slots_of(topics, tmp_path) as slots:
        first = slots.start()
        outputs(records, 300)
        assert first.stop() == 0
        records.write("leads.raw", sent[300:])
        other = slots.start(machine="new")
        outputs(records, 600)
        assert other.stop() == 0
        assert_exactly_once(records, Counter(record.key or "" for record in sent))
        assert stored(other, topics) == folded(records)


def test_the_dict_store_restores_all_at_each_start(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    sent = leads(600)
    records.write("leads.raw", sent[:300])
    with slots_of(topics, tmp_path) as slots:
        first = slots.start(store="memory")
        outputs(records, 300)
        first.signal(signal.SIGKILL)
        first.exit_code()
        records.write("leads.raw", sent[300:])
        second = slots.start(store="memory")
        outputs(records, 600)
        assert second.stop() == 0
    assert second.logged("state.restored")[0]["records"] > 0
    assert_exactly_once(records, Counter(record.key or "" for record in sent))


def test_a_store_ahead_of_its_changelog_is_rebuilt(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    sent = leads(100)
    records.write("leads.raw", sent)
    with slots_of(topics, tmp_path) as slots:
        first = slots.start()
        outputs(records, 100)
        assert first.stop() == 0
        store = open_rocks(first.state_dir / topics.namespace / "enrich-1" / "0")
        position = store.position()
        assert position is not None
        store.fold({"count/ghost": b"{}"}, type(position)(position.topic_id, 10_000, position.written_at))
        store.close()
        second = slots.start().has("partitions.assigned")
        assert second.stop() == 0
        assert second.logged("state.restored")[0]["wiped"] == [0]
        assert stored(second, topics) == folded(records)


def test_sigterm_finishes_the_batch_and_leaves_in_order(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    """Within five seconds, `make chaos` and the rolling restart tell; here the machine may be at anything, and a minute
    passes before a process that has not left is ended for it."""
    sent = leads(1, do="pause", seconds=1.0)
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(grace_seconds=60.0).has("partitions.assigned")
        records.write("leads.raw", sent)
        marker = slot.state_dir / topics.namespace / "enrich-1" / "marker"
        eventually(lambda: marker.read_bytes().startswith(b"1"), "the batch under way")
        assert slot.stop() == 0
        assert slot.logged("process.stopped"), "it came to its end by itself"
    assert len(records.read_all("leads.pending")) == 1
