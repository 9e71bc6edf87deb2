"""Differences of two policies in sentences, as whoever reviews a change reads them."""

from typing import Any

import pytest

from routing.policy_diff import Changed, Moved, PolicyDiff
from routing.policy_diff_text import sentences, value_text

MOVED = Moved("smb; in US", "pool smb-sdr", "pool ent-amer", "small business", "everything", {})
RULE = {"name": "r", "when": None, "to": {"pool": "ent-amer"}}


def told(moved: int = 0, *changed: Changed) -> list[str]:
    return list(sentences(PolicyDiff("a", "b", (MOVED,) * moved, changed)))


def test_where_nothing_differs_that_is_said() -> None:
    assert told() == ["No kind of lead goes elsewhere.", "", "No setting differs."]


@pytest.mark.parametrize(
    ("count", "first"), [(1, "1 kind of lead goes elsewhere:"), (2, "2 kinds of lead go elsewhere:")]
)
def test_each_kind_of_lead_that_goes_elsewhere_is_told_with_its_rules(count: int, first: str) -> None:
    one = [
        "- smb; in US:",
        "    to pool ent-amer, by rule 'everything'",
        "    before: to pool smb-sdr, by rule 'small business'",
    ]
    assert told(count) == [first, *one * count, "", "No setting differs."]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (Changed("tiers.T2.contact_within", "1h", "2h"), "tiers.T2.contact_within: 2h, before 1h."),
        (Changed("name", "default", None), "name: none, before default."),
        (Changed("rules.r", None, RULE, True), "rule 'r' is new: everything left to pool ent-amer."),
        (
            Changed("rules.r", RULE | {"when": "icp"}, None, True),
            "rule 'r' is gone: when icp, to pool ent-amer.",
        ),
        (Changed("pools.p.q", None, {"lead": None}, True), "pool 'p.q' is new."),
        (Changed("pools.p.q", {"lead": None}, None, True), "pool 'p.q' is gone."),
        (Changed("pools.p.senior_lane", None, {"tiers": ["T1"]}), "pools.p.senior_lane: tiers T1, before none."),
        (Changed("pools.p.senior_lane", {"tiers": ["T1"]}, None), "pools.p.senior_lane: none, before tiers T1."),
        (Changed("sla.repeat", None, {"every": "1x"}, True), "sla.repeat: every 1x, before none."),
        (Changed("sla.repeat", {"every": "1x"}, None, True), "sla.repeat: none, before every 1x."),
        (Changed("pools.p", None, "odd", True), "pools.p: odd, before none."),
        (Changed("sla.repeat", {"every": "1x"}, {"every": "2x"}), "sla.repeat: every 2x, before every 1x."),
        (
            Changed("rules (order)", ["a", "gone", "b"], ["b", "new", "a"]),
            "the rules stand in another order: 'b', 'a'.",
        ),
    ],
)
def test_a_setting_that_differs_is_told_in_words(changed: Changed, said: str) -> None:
    assert told(0, changed)[2:] == ["1 setting differs:", f"- {said}"]


def test_several_settings_differ() -> None:
    assert told(0, *[Changed("name", "a", "b")] * 2)[2:] == ["2 settings differ:", *["- name: b, before a."] * 2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "none"),
        ("", "nothing"),
        (True, "yes"),
        (False, "no"),
        (["a", "b"], "a, b"),
        ([], "none"),
        ({"at": "2x", "do": "move", "to": None, "also": []}, "at 2x, do move"),
        ([{"at": "1x"}, {"at": "2x"}], "at 1x; at 2x"),
        ([{"at": "1x"}, "manager"], "at 1x; manager"),
        (0.5, "0.5"),
    ],
)
def test_a_value_reads_as_words(value: Any, said: str) -> None:
    assert value_text(value) == said
