"""Tables as stages read them; that they follow their topics is tested on a broker."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.account import Account
from schemas.policy import PolicyBody, PolicyPointer
from schemas.wire import encode
from streams.kafka.config import ClusterSettings
from streams.store.memory import MemoryStore, open_memory
from streams.store.store import Position
from streams.tables import TableReader, Tables
from tests.incoming import Made

AT = datetime(2026, 3, 1, tzinfo=UTC)


def kept(kind: str, value: Any, version: int = 1) -> bytes:
    """Return a value as a table's store has it: its type, its version, its bytes."""
    return b"%s\n%d\n%s" % (kind.encode(), version, encode(value))


def store(rows: Mapping[str, bytes]) -> MemoryStore:
    made = MemoryStore()
    made.fold(rows, Position("t", 1, 0.0))
    return made


def pointer(hash: str) -> PolicyPointer:
    return PolicyPointer(division="main", hash=hash, activated_at=AT)


def test_a_row_is_found_in_whichever_partition_has_it_and_decoded_by_its_type() -> None:
    tables = Tables()
    body = PolicyBody(hash="h", division="main", text="a\n\nb", published_at=AT, published_by="me")
    tables.serve(
        {
            "policies": [
                store({"h": kept("policy.body", body)}),
                store({"active/main": kept("policy.pointer", pointer("h"))}),
            ],
            "accounts": [store({})],
        }
    )
    assert tables.get("policies", "h") == body, "line breaks inside the value are its own"
    assert tables.get("policies", "active/main") == pointer("h")
    assert tables.get("policies", "active/other") is None
    assert tables.get("accounts", "h") is None


def test_a_change_is_seen_once_the_reader_says_so_and_not_before() -> None:
    tables, rows = Tables(), store({"active/main": kept("policy.pointer", pointer("old"))})
    tables.serve({"policies": [rows]})
    assert tables.get("policies", "active/main") == pointer("old")
    rows.fold({"active/main": kept("policy.pointer", pointer("new"))}, Position("t", 2, 0.0))
    assert tables.get("policies", "active/main") == pointer("old"), "decoded once a change"
    tables.forget("policies", "active/main")
    assert tables.get("policies", "active/main") == pointer("new")
    rows.fold({"active/main": None}, Position("t", 3, 0.0))
    tables.forget("policies", "active/main")
    assert tables.get("policies", "active/main") is None


def test_a_row_that_was_looked_for_in_vain_is_found_once_it_is_there() -> None:
    tables, rows = Tables(), store({})
    tables.serve({"policies": [store({}), rows]})
    assert tables.get("policies", "active/main") is None
    rows.fold({"active/main": kept("policy.pointer", pointer("new"))}, Position("t", 2, 0.0))
    tables.forget("policies", "active/main")
    assert tables.get("policies", "active/main") == pointer("new")


def test_a_scan_goes_over_all_partitions_in_key_order() -> None:
    tables = Tables()
    rows = {
        domain: kept("account.put", Account(domain=domain))
        for domain in ("a.example", "b.example", "c.example", "d.example")
    }
    halves = [{key: rows[key] for key in list(rows)[start::2]} for start in (1, 0)]
    tables.serve({"accounts": [store(half) for half in halves]})
    assert [(key, value.domain) for key, value in tables.scan("accounts")] == [(key, key) for key in rows]
    assert [key for key, _ in tables.scan("accounts", "b")] == ["b.example"]


def test_a_table_that_the_stage_does_not_name_is_no_empty_table() -> None:
    tables = Tables()
    tables.serve({"accounts": [store({})]})
    with pytest.raises(KeyError):
        tables.get("policies", "active/main")
    with pytest.raises(KeyError):
        list(tables.scan("policies"))


@pytest.mark.parametrize(
    "record",
    [
        Made(key_=None),
        Made(key_=b"\xff"),
        Made(value_=b"{"),
        Made(value_=b'{"domain": 7}'),
        Made(headers_=[("ce_type", b"policy.body")]),
        Made(headers_=[("ce_schemaversion", b"9")]),
        Made(headers_=[("ce_schemaversion", b"soon")]),
        Made(headers_=[("ce_schemaversion", b"9" * 5_000)]),
    ],
    ids=["no key", "key of bytes", "truncated", "wrong type", "foreign type", "newer", "no number", "endless number"],
)
def test_a_row_that_cannot_be_read_is_counted_and_changes_nothing(record: Made) -> None:
    rejected: list[str] = []
    tables = Tables()
    reader = TableReader(
        ClusterSettings(bootstrap="nowhere:1"), ["accounts"], tables, open_memory, Path("unused"), rejected.append
    )
    record.topic_ = "accounts"
    assert reader.row(record) is None
    assert rejected == ["accounts"]


def test_a_tombstone_is_kept_as_one_and_a_good_row_with_its_type() -> None:
    reader = TableReader(
        ClusterSettings(bootstrap="nowhere:1", namespace="acme"),
        ["accounts"],
        Tables(),
        open_memory,
        Path("unused"),
        print,
    )
    assert reader.row(Made("acme.accounts", key_=b"a.example", value_=None)) == (b"a.example", None)
    good = encode(Account(domain="a.example"))
    found = reader.row(Made("acme.accounts", key_=b"a.example", value_=good))
    assert found == (b"a.example", kept("account.put", Account(domain="a.example")))
