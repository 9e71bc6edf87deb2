from datetime import UTC, datetime

import pytest

from schemas.account import Account
from schemas.policy import PolicyActivated
from streams.cli.records import Record, parsed, table_of

AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
GOOD = b'{"domain": "acme.example", "name": "Acme"}'


def record(value: bytes | None, offset: int, topic: str = "accounts", **headers: bytes) -> Record:
    return Record(topic, 0, offset, b"acme.example", value, tuple(headers.items()), AT)


@pytest.mark.parametrize(
    ("broken", "headers"),
    [
        pytest.param(b"\xff\x00 no JSON", {}, id="bytes that are no text"),
        pytest.param(b"{}", {}, id="an object that lacks what it needs"),
        pytest.param(b"", {}, id="nothing at all"),
        pytest.param(GOOD, {"ce_type": b"lead.nonsense"}, id="a type that has no place there"),
        pytest.param(GOOD, {"ce_schemaversion": b"99"}, id="a version that this build does not know"),
        pytest.param(GOOD, {"ce_schemaversion": b"soon"}, id="a version that is no number"),
    ],
)
def test_after_an_unreadable_record_the_value_before_stands_and_the_reader_is_told_where(
    broken: bytes, headers: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    table = table_of([record(GOOD, 7), record(broken, 8, **headers)])
    assert table["acme.example"].model == Account(domain="acme.example", name="Acme")
    assert "Passed over 1 unreadable, the first accounts/0/8: " in capsys.readouterr().err


def test_a_tombstone_takes_its_key_away_and_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert table_of([record(GOOD, 7), record(None, 8)]) == {}
    assert capsys.readouterr().err == ""


def test_what_is_told_of_an_unreadable_record_quotes_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    table_of([record(b'{"domain": 5, "name": "ada@stripe.com"}', 0)])
    assert "ada@" not in capsys.readouterr().err


def test_of_a_log_of_many_types_those_of_the_model_are_given() -> None:
    said = b'{"division": "main", "hash": "3f9a", "by": "root", "reason": "first", "at": "2026-03-10T14:14:00Z"}'
    log = [record(said, 0, "leads.scored", ce_type=b"policy.activated"), record(b"{}", 1, "leads.scored")]
    assert [activated.hash for _, activated in parsed(log, PolicyActivated)] == ["3f9a"]
