from itertools import pairwise
from typing import Any

import pytest

from routing.policy import compile_policy
from routing.policy_diff import diff
from routing.policy_diff_text import sentences, value_text
from tests.unit.routing.policies import SHIPPED, edited, shipped, text_of


def test_a_policy_does_not_differ_from_itself() -> None:
    found = diff(shipped(), shipped())
    assert (found.moved, found.changed) == ((), ())


def test_a_comment_moves_nobody() -> None:
    found = diff(shipped(), compile_policy(text_of("default") + "# more\n"))
    assert (found.moved, found.changed) == ((), ())
    assert found.before != found.after


def test_a_lower_threshold_moves_the_leads_between() -> None:
    found = diff(shipped(), edited("default", ("name: mid_market, from: 200", "name: mid_market, from: 150")))
    routes = {(moved.before, moved.after) for moved in found.moved}
    assert ("pool smb-sdr", "pool mm-southwest") in routes
    example = next(moved.example for moved in found.moved if moved.after == "pool mm-southwest")
    assert 150 <= int(str(example["company.employees"])) < 200
    assert [(change.path, change.before, change.after) for change in found.changed] == [
        ("segments.mid_market.start", 200, 150)
    ]


def test_territory_first_moves_the_southwest_and_nobody_else() -> None:
    found = diff(shipped(), shipped("territory-first"))
    assert {moved.after for moved in found.moved} == {"pool mm-southwest"}
    assert any(moved.before == "pool ent-amer" and moved.kind.startswith("enterprise;") for moved in found.moved)


def test_a_changed_order_of_rules_is_told() -> None:
    text = text_of("default")
    start, end = text.index("  - name: personal email"), text.index("  - name: nurture")
    moved_up = text[:start] + text[end:]
    at = moved_up.index("  - name: account owner")
    found = diff(shipped(), compile_policy(moved_up[:at] + text[start:end] + moved_up[at:]))
    assert any(change.path == "rules (order)" for change in found.changed)
    assert any("personal mail" in moved.kind and moved.before == "the owner of the account" for moved in found.moved)


def test_a_setting_that_moves_no_lead_is_told_as_a_setting() -> None:
    found = diff(shipped(), edited("default", ("contact_within: 1h", "contact_within: 2h")))
    assert found.moved == ()
    assert [(change.path, change.before, change.after) for change in found.changed] == [
        ("tiers.T2.contact_within", "1h", "2h")
    ]


def test_a_difference_reads_as_sentences_without_data_structures() -> None:
    told = list(sentences(diff(shipped(), shipped("territory-first"))))
    assert told[:4] == [
        "6 kinds of lead go elsewhere:",
        "- self_serve; T2; in US (AZ, NM, OK, TX):",
        "    to pool mm-southwest, by rule 'Southwest territory'",
        "    before: to pool general-qual, by rule 'self-serve assist'",
    ]
    assert "- a lead known only as: in US-AZ, healthcare:" in told
    assert "- name: territory-first, before default." in told
    assert any(line.startswith("- rule 'Southwest territory' is new: when company.country ==") for line in told)
    assert any(line.startswith("- rule 'mid-market Southwest' is gone: when segment ==") for line in told)
    assert not any(mark in line for line in told for mark in ("{", "None", "True"))


@pytest.mark.parametrize("pair", tuple(pairwise(SHIPPED)), ids=" to ".join)
def test_shipped_policies_never_differ_in_words_of_python(pair: tuple[str, str]) -> None:
    told = list(sentences(diff(*map(shipped, pair))))
    assert not any(mark in line for line in told for mark in ("{", "None", "True", "~other"))


def test_a_country_is_named_whole_where_all_its_states_go_the_same_way() -> None:
    told = list(sentences(diff(shipped(), shipped("starter"))))
    assert "- smb; in US, CA:" in told
    assert "- mid_market; in US (elsewhere), CA, MX, GB, SG:" in told


def test_sentences_of_no_difference_and_of_one() -> None:
    assert list(sentences(diff(shipped(), shipped()))) == ["No kind of lead goes elsewhere.", "", "No setting differs."]
    longer = edited("default", ("contact_within: 1h", "contact_within: 2h"))
    assert list(sentences(diff(shipped(), longer)))[-2:] == [
        "1 setting differs:",
        "- tiers.T2.contact_within: 2h, before 1h.",
    ]


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
        (0.5, "0.5"),
    ],
)
def test_a_value_reads_as_words(value: Any, said: str) -> None:
    assert value_text(value) == said


def test_leads_that_differ_by_a_word_of_a_list_go_elsewhere_by_it() -> None:
    rule = '  - {name: flagged, when: \'"vip" in lead.flags && !("old" in lead.flags)\', to: {pool: ent-amer},'
    text = text_of("default").replace(
        "  - name: nurture\n", f"{rule} because: abc, say: abc, owner: ops}}\n  - name: nurture\n"
    )
    found = diff(shipped(), compile_policy(text))
    by_rule = [moved.example for moved in found.moved if moved.rule_after == "flagged"]
    assert by_rule
    assert {example.get("lead.flags") for example in by_rule} == {("vip",)}


def test_a_changed_order_is_said_with_what_stays() -> None:
    text = text_of("default")
    start, end = text.index("  - name: personal email"), text.index("  - name: nurture")
    at = text.index("  - name: recycled")
    moved = compile_policy(text[:at] + text[start:end] + text[at:start] + text[end:])
    (line,) = [line for line in sentences(diff(shipped(), moved)) if "another order" in line]
    assert line.startswith(
        "- the rules stand in another order: 'open duplicate', 'suspected spam', 'account owner', 'personal"
    )
