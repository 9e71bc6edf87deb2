"""What the journal keeps of a decision, how its records are chained, and where they are cut."""

import hashlib
from typing import Any

import orjson
import pytest

from routing.journal import chained, chunks, entry, outcome
from schemas.effects import CancelWake, DeadLetter, Delete, Put, Wake
from schemas.spliced import Written
from tests.worked.world import Arrival, World, at

DIGEST = hashlib.sha256(b'{"load":2}').hexdigest()[:16]
WAKE = Wake("lead/x", at("14:19"), "assign", "main")


@pytest.mark.parametrize(
    ("effect", "row"),
    [
        (
            Put("rep/main/M1", {"load": 2}),
            {"put": "rep/main/M1", "sha256": DIGEST},
        ),
        (Delete("lead/x"), {"delete": "lead/x"}),
        (WAKE, {"wake": "lead/x", "due_at": at("14:19")}),
        (CancelWake("lead/x"), {"cancel": "lead/x"}),
    ],
    ids=["put", "delete", "wake", "cancel"],
)
def test_state_and_wake_ups_come_out_as_keys_instants_and_digests(effect: Any, row: dict[str, Any]) -> None:
    assert outcome([effect]) == [row]


@pytest.mark.parametrize(
    "effect",
    [Put("contact/x", {}), Delete("contact/x"), Put("division/main", {}), DeadLetter("E", "why")],
    ids=["contact put", "contact deleted", "the division's own record", "dead letter"],
)
def test_contacts_and_the_divisions_own_record_are_not_journalled(effect: Any) -> None:
    assert outcome([effect, WAKE]) == outcome([WAKE])


def test_the_entry_of_a_lead_that_was_not_kept_has_neither_its_contact_nor_what_is_unknown() -> None:
    world = World()
    scored = Arrival("lone.example", industry=None).scored(world, world.policy)
    row = orjson.loads(entry("event-1", "lead.scored", 7, at("14:14"), scored, ()).json)
    assert {name: row[name] for name in ("event_id", "type", "offset", "now", "outcome")} == {
        "event_id": "event-1",
        "type": "lead.scored",
        "offset": 7,
        "now": "2026-03-10T19:14:00Z",
        "outcome": [],
    }
    assert row["input"] == scored.model_dump(mode="json", exclude_none=True, exclude={"contact"})


def test_a_record_is_chained_over_the_one_before_and_every_entry() -> None:
    assert chained("before", [Written(b"one"), Written(b"t", b"wo")]) == hashlib.sha256(b"beforeonetwo").hexdigest()


@pytest.mark.parametrize(
    ("entries", "runs"),
    [
        ([b"a"], [[b"a"]]),
        ([b"ab", b"cd"], [[b"ab", b"cd"]]),
        ([b"ab", b"cd", b"e"], [[b"ab", b"cd"], [b"e"]]),
        ([b"abcde", b"f"], [[b"abcde"], [b"f"]]),
        ([], []),
    ],
    ids=["one", "as many bytes as there may be", "a byte more", "one that is larger", "none"],
)
def test_entries_are_cut_into_runs_of_at_most_four_bytes(entries: list[bytes], runs: list[list[bytes]]) -> None:
    written = [Written(row[:1], row[1:]) for row in entries]
    assert [[row.json for row in run] for run in chunks(written, 4)] == runs
