"""Brokers that are away, disks that are full, inputs that wait, tables that change."""

import resource
import urllib.request
from collections import Counter
from pathlib import Path

import orjson
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.broker.embedded import start_at
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings, admin_config, producer_config, qualified
from tests.conftest import FEW_PARTITIONS
from tests.integration.slots import assert_exactly_once, leads, outputs, slots_of
from tests.ports import free_port
from tests.records import Outgoing, Records
from tests.waiting import eventually


def test_a_slot_waits_for_a_broker_that_is_down_at_start_and_survives_one_that_dies(tmp_path: Path) -> None:
    port = free_port()
    cluster = ClusterSettings(bootstrap=f"127.0.0.1:{port}", namespace="away")
    records = Records(cluster)
    sent = leads(900)
    with slots_of(cluster, tmp_path) as slots:
        slot = slots.start().has("broker.unreachable")
        with start_at(tmp_path / "broker", port) as broker:
            kafka_topics.create(cluster, FEW_PARTITIONS)
            records.write("leads.raw", sent[:300])
            slots.supervise(lambda: bool(slots.started[-1].logged("partitions.assigned")), slot)
            outputs(records, 300)
            broker.kill()
            assert slots.started[-1].process.poll() is None
        with start_at(tmp_path / "broker", port):
            records.write("leads.raw", sent[300:])
            last = slots.supervise(lambda: len(records.read_all("leads.pending")) >= 900, slots.started[-1])
            assert last.stop() == 0
            assert_exactly_once(records, Counter(record.key or "" for record in sent))
    assert len(slots.started[0].logged("broker.unreachable")) == 1


def test_a_slot_asked_to_stop_while_it_waits_for_a_broker_leaves(tmp_path: Path) -> None:
    port = free_port()
    with slots_of(ClusterSettings(bootstrap=f"127.0.0.1:{port}"), tmp_path) as slots:
        slot = slots.start().has("broker.unreachable")
        assert slot.stop() == 0


def test_a_disk_that_takes_no_more_ends_the_process_and_a_restart_goes_on(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    """A file size limit stands in for the full disk: each write beyond it fails as one without space does."""
    sent = [Outgoing(f"p{n}", {"person": f"p{n}-{'x' * 400}"}) for n in range(500)]
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(batch_limit=50).has("partitions.assigned")
        resource.prlimit(slot.process.pid, resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
        records.write("leads.raw", sent)
        assert slot.exit_code() == 1
        (ended,) = slot.logged("process.ended")
        assert ended["error"] == "StoreFailed"
        still_full = slots.start(file_blocks=8)
        assert still_full.exit_code() == 1
        assert [one["error"] for one in still_full.logged("process.ended")] == ["StoreFailed"]
        assert still_full.logged("partitions.assigned") == [], "it was never ready"
        with_room = slots.start()
        outputs(records, 500)
        assert with_room.stop() == 0
    assert_exactly_once(records, Counter(str(record.value["person"]) for record in sent))


def test_a_slot_reads_on_where_retention_has_emptied_a_partition(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    """Removed with the last record is the mark of its transaction, which stands behind what a slot commits."""
    sent = leads(30)
    topic = qualified(topics.namespace, "leads.raw")
    upstream = Producer(producer_config(topics, "upstream"))
    upstream.init_transactions(60)
    upstream.begin_transaction()
    for record in sent[:20]:
        upstream.produce(topic, orjson.dumps(record.value), record.key, headers=dict(record.headers))
    upstream.commit_transaction(60)
    with slots_of(topics, tmp_path) as slots:
        first = slots.start()
        outputs(records, 20)
        assert first.stop() == 0
        admin = AdminClient(admin_config(topics))
        emptied = admin.delete_records([TopicPartition(topic, number, -1) for number in range(2)])
        assert sum(future.result().low_watermark for future in emptied.values()) == 20 + 2, "two marks"
        second = slots.start().has("partitions.assigned")
        records.write("leads.raw", sent[20:])
        outputs(records, 30)
        assert second.stop() == 0
    assert_exactly_once(records, Counter(record.key or "" for record in sent))


def test_imported_leads_wait_while_live_ones_lag(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    bulk = [Outgoing(f"b{n % 5}", {"person": f"b{n % 5}"}) for n in range(200)]
    live = [Outgoing(f"p{n % 5}", {"person": f"p{n % 5}"}) for n in range(2_000)]
    records.write("leads.bulk", bulk)
    records.write("leads.raw", live)
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(inputs=["leads.raw", "leads.bulk"], low_priority=["leads.bulk"], batch_limit=50)
        found = outputs(records, len(bulk) + len(live))
        assert slot.stop() == 0
    assert Counter(record.key for record in found) == Counter(record.key for record in [*bulk, *live])
    for partition in (0, 1):
        order = [record.key or "" for record in found if record.partition == partition]
        first = next((place for place, key in enumerate(order) if key.startswith("b")), len(order))
        assert sum(key.startswith("p") for key in order[first:]) <= 100


def test_live_leads_overtake_an_import_that_is_under_way(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    """EDG-7, by places in the output: a part of the import comes after leads that were published when it had begun."""
    slow = {"do": "pause", "seconds": 0.005}  # ten seconds of them: long enough to publish something meanwhile
    bulk = [Outgoing(f"b{n % 5}", {"person": f"b{n % 5}", **(slow if n < 2_000 else {})}) for n in range(2_500)]
    live = [Outgoing(f"p{n % 5}", {"person": f"p{n % 5}"}) for n in range(40)]
    records.write("leads.bulk", bulk)
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(inputs=["leads.raw", "leads.bulk"], low_priority=["leads.bulk"], batch_limit=50)
        outputs(records, 50)
        records.write("leads.raw", live)
        found = outputs(records, len(bulk) + len(live), 120)
        assert slot.stop() == 0
    assert Counter(record.key for record in found) == Counter(record.key for record in [*bulk, *live])
    after = 0
    for partition in (0, 1):
        order = [record.key or "" for record in found if record.partition == partition]
        last = max((place for place, key in enumerate(order) if key.startswith("p")), default=-1)
        after += len(order) - last - 1
    assert after >= 500


def test_the_port_tells_health_and_numbers(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(http_port=0).has("partitions.assigned")
        port = slot.logged("process.started")[0]["http_port"]
        records.write("leads.raw", leads(10))
        outputs(records, 10)

        def page(path: str) -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                return str(answer.read().decode())

        assert "running" in page("/ready")
        eventually(
            lambda: 'leadstream_streams_records_total{stage="enrich",topic="leads.raw"} 10.0' in page("/metrics"),
            "ten records counted",
        )
        assert slot.stop() == 0


def test_a_table_is_read_to_its_end_first_and_kept_up_to_date(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    def pointer(division: str, policy: str) -> Outgoing:
        return Outgoing(division, {"lead_id": policy, "at": "2026-01-01T00:00:00Z"})

    def ask(number: int) -> list[Outgoing]:
        return [Outgoing("p", {"person": "p", "ask": "hubspot-1"}, {"ce_id": f"ask{number}"})]

    records.write("xref", [pointer("hubspot-1", "old"), pointer("hubspot-1", "lead-1"), Outgoing("broken", b"{")])
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(tables=["xref"]).has("partitions.assigned")
        assert len(slot.logged("table.record_rejected")) == 1
        records.write("leads.raw", ask(0))
        assert outputs(records, 1)[0].json["found"] == "lead-1"
        records.write("xref", [pointer("hubspot-1", "lead-2")])
        asked = 1

        def is_seen() -> bool:
            nonlocal asked
            records.write("leads.raw", ask(asked))
            asked += 1
            return bool(outputs(records, asked)[-1].json["found"] == "lead-2")

        eventually(is_seen, "the changed row")
        assert slot.stop() == 0
        again = slots.start(tables=["xref"]).has("partitions.assigned")
        records.write("leads.raw", ask(asked))
        assert outputs(records, asked + 1)[-1].json["found"] == "lead-2"
        assert again.stop() == 0
