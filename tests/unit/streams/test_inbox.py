"""From messages to events."""

from datetime import UTC, datetime

import pytest
from confluent_kafka import KafkaError

from schemas.lead import RawLead
from streams.inbox import Inbox
from streams.message import KafkaFailed, SlotTaken
from tests.incoming import Made

WAKE = b'{"waker": "w", "due_at": "2026-01-01T00:00:00Z", "fired_at": "2026-01-01T00:00:00Z"}'


def test_a_message_without_headers_is_an_event_of_the_topics_first_type() -> None:
    batch = Inbox("", ["leads.raw"]).open([Made(value_=b'{"email": "a@b.example"}', offset_=7)])
    (event,) = batch.events
    assert (event.id, event.type, event.key) == ("leads.raw/0/7", "lead.submitted", "k")
    assert event.value == RawLead({"email": "a@b.example"})
    assert event.recorded_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert batch.next_offsets == {("leads.raw", 0): 8}


def test_topics_are_found_in_their_namespace_and_named_without_it() -> None:
    batch = Inbox("acme", ["leads.raw"]).open([Made(topic_="acme.leads.raw")])
    assert batch.events[0].topic == "leads.raw"


@pytest.mark.parametrize(
    ("message", "event_id"),
    [
        (Made(headers_=[("ce_id", b"e1")]), "e1"),
        (Made(headers_=[("ce_id", b"")]), "leads.raw/0/0"),
        (Made(headers_=[("ce_id", None)]), "leads.raw/0/0"),
        (Made(headers_=[("ce_id", b"x" * 201)]), "leads.raw/0/0"),
    ],
    ids=["given", "empty", "null", "too long"],
)
def test_the_id_is_the_writers_or_the_place(message: Made, event_id: str) -> None:
    assert Inbox("", ["leads.raw"]).open([message]).events[0].id == event_id


@pytest.mark.parametrize(
    "message",
    [
        Made(value_=b"{"),
        Made(value_=b""),
        Made(value_=b"\xff"),
        Made(value_=b"[" * 100_000),
        Made(headers_=[("ce_type", b"lead.scored")]),
        Made(headers_=[("ce_schemaversion", b"soon")]),
        Made(headers_=[("ce_schemaversion", "²".encode())]),
        Made(headers_=[("ce_schemaversion", b"2")]),
    ],
    ids=["truncated", "empty", "bytes", "deep", "foreign type", "version text", "superscript", "newer, not ours"],
)
def test_what_cannot_be_read_is_set_aside_and_passed(message: Made) -> None:
    batch = Inbox("", ["leads.raw"]).open([message, Made(offset_=1)])
    assert [one.message for one in batch.set_aside] == [message]
    assert len(batch.events) == 1
    assert batch.next_offsets == {("leads.raw", 0): 2}


@pytest.mark.parametrize(
    ("topic", "is_poison"),
    [("leads.raw", True), ("leads.redeliver", True), ("reps", False)],
    ids=["raw", "ours", "table"],
)
def test_a_record_without_a_value_removes_a_key_of_a_table_and_is_poison_on_a_log(topic: str, is_poison: bool) -> None:
    batch = Inbox("", [topic]).open([Made(topic_=topic, value_=None)])
    assert [one.reason for one in batch.set_aside] == (
        [f"it has no value: only keys of a table are removed so, and {topic} is a log"] if is_poison else []
    )
    assert [event.value for event in batch.events] == ([] if is_poison else [None])


def test_a_newer_schema_on_our_own_topic_holds_the_partition_from_there_on() -> None:
    def wake(partition: int, offset: int, version: bytes) -> Made:
        return Made("leads.redeliver", partition, offset, value_=WAKE, headers_=[("ce_schemaversion", version)])

    inbox = Inbox("", ["leads.redeliver"])
    batch = inbox.open([wake(0, 0, b"1"), wake(0, 1, b"2"), wake(0, 2, b"1"), wake(1, 0, b"1")])
    assert [(event.partition, event.offset) for event in batch.events] == [(0, 0), (1, 0)]
    assert batch.newer == {("leads.redeliver", 0): 1}
    assert batch.next_offsets == {("leads.redeliver", 0): 1, ("leads.redeliver", 1): 1}
    assert inbox.open([wake(0, 3, b"1")]).next_offsets == {}
    assert inbox.held_partitions("leads.redeliver") == 1


def test_the_end_of_a_partition_is_no_record() -> None:
    assert len(Inbox("", ["leads.raw"]).open([Made(error_=KafkaError(KafkaError._PARTITION_EOF))])) == 0


@pytest.mark.parametrize(
    ("code", "family"),
    [
        (KafkaError._FATAL, SlotTaken),
        (KafkaError.FENCED_INSTANCE_ID, SlotTaken),
        (KafkaError._MAX_POLL_EXCEEDED, KafkaFailed),
        (KafkaError.OFFSET_OUT_OF_RANGE, KafkaFailed),
    ],
)
def test_any_other_error_message_ends_the_process(code: int, family: type[Exception]) -> None:
    with pytest.raises(family):
        Inbox("", ["leads.raw"]).open([Made(error_=KafkaError(code))])
