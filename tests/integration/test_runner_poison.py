"""What can't be handled goes to the dead-letter topic, alone and whole; the rest flows."""

from collections import Counter
from pathlib import Path

from streams.kafka.config import INPUT_MAX_BYTES, ClusterSettings
from tests.integration.slots import assert_exactly_once, leads, outputs, slots_of
from tests.records import Outgoing, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

BROKEN = {
    "not UTF-8": b'{"person": "\xff\xfe"}',
    "truncated": b'{"person": "p0"',
    "an array": b"[1, 2]",
    "a number": b"7",
    "empty": b"",
    "blank": b"  ",
    "NaN": b'{"score": NaN}',
    "deep nesting": b"[" * 50_000 + b"]" * 50_000,
    "no JSON": b"\x00\x01\x02",
    "a tombstone": None,
}


def test_broken_records_are_set_aside_with_their_bytes_and_the_rest_flows(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    sent = leads(400)
    broken = [Outgoing(name, value, {"mine": "kept"}) for name, value in BROKEN.items()]
    broken += [
        Outgoing("unknown type", {"person": "p0"}, {"ce_type": "lead.imagined"}),
        Outgoing("version", {"person": "p0"}, {"ce_schemaversion": "99"}),
        Outgoing("version is text", {"person": "p0"}, {"ce_schemaversion": "new"}),
        Outgoing("no person", {"nobody": 1}),
        Outgoing("large", b"x" * (INPUT_MAX_BYTES - 1_000)),
    ]
    says = [
        Outgoing("Poison", {"person": "p0", "do": "poison"}),
        Outgoing("KeyError", {"person": "p0", "do": "fail"}),
        Outgoing("Refused", {"person": "p0", "do": "set aside"}),
        Outgoing("RecordTooLarge", {"person": "p0", "do": "grow"}),
        Outgoing("RuntimeError", {"person": "p0", "do": "fail in prepare"}),
    ]
    mixed = [*sent[:100], *broken, *sent[100:200], *says, *sent[200:]]
    records.write("leads.raw", mixed)
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start()
        outputs(records, len(sent))
        letters = records.read_until(["leads.dlq"], lambda found: len(found) >= len(broken) + len(says))
        assert slot.stop() == 0
    assert_exactly_once(records, Counter(record.key or "" for record in sent))
    by_key = {letter.key: letter for letter in letters}
    assert len(letters) == len(by_key) == len(broken) + len(says)
    for name, value in BROKEN.items():
        assert by_key[name].value == value, name
        assert by_key[name].headers["mine"] == "kept"
    for one in says:
        assert by_key[one.key].headers["dlq_error"] == one.key
    said = by_key["truncated"].headers
    assert (said["dlq_topic"], said["dlq_stage"], said["dlq_error"]) == ("leads.raw", "enrich", "Poison")
    assert int(said["dlq_offset"]) >= 0 and said["dlq_partition"] in "01" and said["dlq_attempts"] == "1"
    assert not any("secret@example.com" in value for letter in letters for value in letter.headers.values())


def test_a_record_that_kills_the_process_is_found_and_set_aside(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    sent = leads(8, people=3)
    culprit = Outgoing("p0", {"person": "p0", "do": "kill"})
    records.write("leads.raw", [*sent[:4], culprit, *sent[4:]])
    with slots_of(topics, tmp_path) as slots:

        def is_found() -> bool:
            return len(records.read_all("leads.dlq")) > 0

        slot = slots.supervise(is_found, slots.start())
        outputs(records, len(sent))
        assert slot.stop() == 0
    (letter,) = records.read_all("leads.dlq")
    assert letter.json == culprit.value
    assert letter.headers["dlq_error"] == "KillsProcess"
    assert int(letter.headers["dlq_attempts"]) >= 3
    assert_exactly_once(records, Counter(record.key or "" for record in sent))


def test_a_flood_of_dead_letters_ends_the_process_uncommitted(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    records.write("leads.raw", [Outgoing("p0", b"broken")] * 600)
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(flood_run=50)
        assert slot.exit_code() == 1
        (ended,) = slot.logged("process.ended")
        assert ended["error"] == "DeadLetterFlood"


def test_a_newer_schema_on_our_own_topic_holds_its_partition_and_alarms(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    def wake(number: int, partition: int, version: str) -> Outgoing:
        at = "2026-01-01T00:00:00Z"
        value = {"waker": f"w{number}", "due_at": at, "fired_at": at}
        return Outgoing(f"w{number}", value, {"ce_type": "wake.up", "ce_schemaversion": version}, partition)

    records.write("leads.redeliver", [wake(1, 0, "1"), wake(2, 0, "2"), wake(3, 0, "1"), wake(4, 1, "1")])
    with slots_of(topics, tmp_path) as slots:
        slot = slots.start(inputs=["leads.redeliver"]).has("partition.held")
        eventually(lambda: len(records.read_all("leads.pending")) >= 2, "the other records", look=READ_LOOK_SECONDS)
        assert slot.stop() == 0
    assert sorted(record.key or "" for record in records.read_all("leads.pending")) == ["w1", "w4"]
    assert records.read_all("leads.dlq") == []
