"""Words of a story at their edges: times, owners, rules beyond the last ones, candidates beyond the first."""

from datetime import timedelta
from typing import Any

import pytest

from routing.contacting import spelled
from routing.explain import _CANDIDATES_TOLD, _RULES_TOLD, _owner, _plain, _pool, _rules, spell, story
from schemas.decision import Owner, OwnerKind


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (0.6, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (3_660, "1 h 1 min"),
        (86_400, "1 d"),
        (86_461, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_time_is_told_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert spell(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (-1, "0 s"), (59.6, "1 min"), (3_600, "1 h"), (3_661, "1 h 1 min 1 s"), (7_260, "2 h 1 min")],
)
def test_the_time_to_contact_is_told_to_the_second(seconds: float, said: str) -> None:
    assert spelled(seconds) == said


def test_of_a_lead_without_decisions_nothing_is_known() -> None:
    assert story([]) == "Nothing is known of this lead."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "unknown"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("== true", "yes"),
        ('== "US"', "US"),
        ('""', '""'),
        ('"a"', "a"),
        ('"a" or "b"', '"a" or "b"'),
        (">= 50", ">= 50"),
    ],
)
def test_a_value_is_told_as_a_person_would(value: Any, said: str) -> None:
    assert _plain(value) == said


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        (Owner(kind=OwnerKind.QUEUE, id="RV", queue="review"), "queue review (RV)"),
        (Owner(kind=OwnerKind.QUEUE, queue="review"), "queue review (no owner)"),
        (Owner(kind=OwnerKind.TEAM_LEAD, id="MM"), "team lead MM"),
        (Owner(kind=OwnerKind.TEAM_LEAD), "team lead (none)"),
        (Owner(kind=OwnerKind.REP, id="M1"), "M1"),
        (Owner(kind=OwnerKind.NONE), "nobody"),
    ],
)
def test_an_owner_is_told_by_kind(owner: Owner, said: str) -> None:
    assert _owner(owner) == said


def row(number: int, matched: bool = False) -> dict[str, Any]:
    return {"rule": f"r{number}", "matched": matched, "field": "icp", "actual": False, "expected": "== true"}


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_of_rules_that_did_not_match_the_last_are_told_and_the_others_counted(extra: int) -> None:
    tried = [row(number) for number in range(_RULES_TOLD + extra)]
    lines = _rules([*tried, row(99, matched=True)])
    counted = [f"{extra} {'rule' if extra == 1 else 'rules'} before did not match."] if extra else []
    told = [f'Rule "r{n}" did not match: icp is no, wanted yes.' for n in range(extra, _RULES_TOLD + extra)]
    assert lines == [*counted, *told, 'Rule "r99" matched.']


@pytest.mark.parametrize(("beyond", "others", "left"), [(0, 0, 0), (1, 0, 1), (0, 2, 2), (3, 2, 5)])
def test_of_candidates_the_first_are_told_and_the_others_counted(beyond: int, others: int, left: int) -> None:
    rows = [{"rep": f"c{n}", "why": "full"} for n in range(_CANDIDATES_TOLD + beyond)]
    counts = {"others": {"full": others}} if others else {}
    lines = _pool({"pool": "smb", "candidates": rows, **counts})
    assert lines[: _CANDIDATES_TOLD + 1] == ["In pool smb:", *(f"  c{n}: full." for n in range(_CANDIDATES_TOLD))]
    assert lines[_CANDIDATES_TOLD + 1 :] == ([f"  and {left} more."] if left else [])


def test_a_candidate_is_told_with_load_and_the_hash_that_chose() -> None:
    chosen = {"rep": "a", "why": "chosen", "load": 150, "limit": 4000, "tie": "ab"}
    tied = {"rep": "b", "why": "not their turn", "load": 0, "limit": 4000, "tie": "cd"}
    counters = {"pool": {"turns": [3, 4]}}
    assert _pool(
        {"pool": "p", "lane": "senior lane", "says": "x", "candidates": [chosen, tied], "counters": counters}
    ) == [
        "In pool p, senior lane (x):",
        "  a: chosen, load 1.5 of 40, by the recorded hash of a tie.",
        "  b: not their turn, load 0 of 40.",
        "  The pool went from 3 turns to 4.",
    ]
