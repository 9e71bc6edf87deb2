from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from routing.policy import Policy, compile_policy
from routing.policy_diff import Changed, PolicyDiff, diff
from routing.policy_diff_text import sentences
from tests.unit.routing.policies import SHIPPED, edited, shipped, text_of


@cache
def between(before: str, after: str) -> PolicyDiff:
    """How two shipped policies differ; a second to find out, so each pair only once."""
    return diff(shipped(before), shipped(after))


def test_a_policy_does_not_differ_from_itself() -> None:
    found = between("default", "default")
    assert (found.moved, found.changed) == ((), ())


def test_a_comment_moves_nobody() -> None:
    found = diff(shipped("starter"), compile_policy(text_of("starter") + "# more\n"))
    assert (found.moved, found.changed) == ((), ())
    assert found.before != found.after


def test_territory_first_moves_the_southwest_and_nobody_else() -> None:
    found = between("default", "territory-first")
    assert {moved.after for moved in found.moved} == {"pool mm-southwest"}
    assert any(moved.before == "pool ent-amer" and moved.kind.startswith("enterprise;") for moved in found.moved)


def test_a_setting_that_moves_no_lead_is_told_as_a_setting() -> None:
    found = diff(shipped("starter"), edited("starter", ("contact_within: 5m", "contact_within: 2h")))
    assert found.moved == ()
    assert found.changed == (Changed("tiers.all.contact_within", "5m", "2h"),)


def test_a_setting_of_a_pool_that_is_new_is_not_called_a_new_pool() -> None:
    with_lane = edited("starter", ("    senior_lane: null\n", ""))
    (told,) = [line for line in sentences(diff(shipped("starter"), with_lane)) if line.startswith("- ")]
    assert told.startswith("- pools.team.senior_lane: ") and told.endswith(", before none.")
    added = edited("starter", ("pools:\n", "pools:\n  other: {members: {role: x}, lead: {role: manager}}\n"))
    assert "- pool 'other' is new." in sentences(diff(shipped("starter"), added))


def test_a_difference_reads_as_sentences_without_data_structures() -> None:
    told = list(sentences(between("default", "territory-first")))
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
    told = list(sentences(between(*pair)))
    assert not any(mark in line for line in told for mark in ("{", "None", "True", "~other"))


def test_a_country_is_named_whole_where_all_its_states_go_the_same_way() -> None:
    told = list(sentences(diff(shipped(), shipped("starter"))))
    assert "- smb; in US, CA:" in told
    assert "- mid_market; in US (elsewhere), CA, MX, GB, SG:" in told


WEST, EAST = "{pool: west}", "{pool: east}"
SIZES = "segments: [{name: large, from: 100}, {name: small, from: 0}]"
HEAT = "{when: 'intent == \"high\"', route_within: 1h, contact_within: 1h}"
HOT_AND_COLD = f"tiers: {{hot: {HEAT}, cold: {{route_within: 1h, contact_within: 1h}}}}"
WARM_AND_COLD = HOT_AND_COLD.replace("hot", "warm")
EVERYWHERE = "in US, GB, SG, an unknown place"


def small(
    *rules: tuple[str, str],
    rest: str = WEST,
    sizes: str = "",
    tiers: str = "tiers: {all: {route_within: 1h, contact_within: 1h}}",
    more: str = "",
    names: str = "abcdef",
) -> Policy:
    """A policy of two pools and these rules, (condition, target), of one letter each; the last one takes the rest."""
    written = [f"name: {name}, when: '{when}', to: {to}" for name, (when, to) in zip(names, rules, strict=False)]
    rows = "".join(
        f"  - {{{row}, because: abc, say: Abc., owner: ops}}\n" for row in (*written, f"name: rest, to: {rest}")
    )
    pools = "".join(f"  {name}: {{members: {{team: {name}}}, lead: {{role: manager}}}}\n" for name in ("west", "east"))
    return compile_policy(f"division: main\ntimezone: UTC\n{sizes}\n{tiers}\npools:\n{pools}rules:\n{rows}{more}\n")


def kinds(before: Policy, after: Policy) -> list[str]:
    return [moved.kind for moved in diff(before, after).moved]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(small(), small(rest=EAST), EVERYWHERE, id="all"),
        pytest.param(
            small(),
            small(('segment == "large"', EAST), sizes=SIZES),
            f"large; {EVERYWHERE}",
            id="a new division by size",
        ),
        pytest.param(
            small(('segment == "large"', EAST), sizes=SIZES), small(), f"large; {EVERYWHERE}", id="one by size given up"
        ),
        pytest.param(
            small(sizes=SIZES),
            small(('segment == "huge"', EAST), sizes=SIZES.replace("large", "huge")),
            "large (then huge); in US, GB, SG, an unknown place",
            id="another size",
        ),
        pytest.param(small(), small(('tier == "hot"', EAST), tiers=HOT_AND_COLD), f"hot; {EVERYWHERE}", id="new tiers"),
        pytest.param(
            small(('tier == "hot"', EAST), tiers=HOT_AND_COLD), small(), f"hot; {EVERYWHERE}", id="tiers given up"
        ),
        pytest.param(small(), small(rest=EAST, tiers=HOT_AND_COLD), EVERYWHERE, id="all of new tiers"),
        pytest.param(
            small(tiers=HOT_AND_COLD),
            small(('tier == "warm"', EAST), tiers=WARM_AND_COLD),
            f"hot (then warm); {EVERYWHERE}",
            id="another tier",
        ),
        pytest.param(
            small(), small(('company.country == "US" && company.state == "TX"', EAST)), "in US (TX)", id="a state"
        ),
        pytest.param(
            small(('company.country == "US" && company.state == "TX"', EAST)),
            small(('company.country == "US" && company.state == "TX"', EAST), rest=EAST),
            "in US (elsewhere), CA, GB, SG, an unknown place",
            id="all but a state",
        ),
        pytest.param(small(), small(('company.country in ["US", "CA"]', EAST)), "in US, CA", id="two countries"),
        pytest.param(
            small(), small(('company.industry in ["saas", "retail"]', EAST)), f"{EVERYWHERE}; saas, retail", id="trades"
        ),
        pytest.param(
            small(),
            small(('company.industry != "saas"', EAST)),
            "in US, GB, SG, an unknown place; other industries",
            id="all but a trade",
        ),
        pytest.param(small(), small(("has(company.industry)", EAST)), EVERYWHERE, id="any trade"),
        pytest.param(
            small(("has(account.owner)", "account_owner")),
            small(),
            "a lead known only as: account with an owner",
            id="accounts",
        ),
        pytest.param(
            small(("lead.open_duplicate", "owner")), small(), "a lead known only as: open duplicate", id="duplicates"
        ),
        pytest.param(
            small(),
            small(('company.country == "US" && company.state == "TX" && lead.has_phone', EAST)),
            "a lead known only as: in US-TX, lead.has_phone yes",
            id="a phone number",
        ),
        pytest.param(
            small(), small(("!has(company.employees)", EAST)), "a lead of which nothing is known", id="unknown size"
        ),
        pytest.param(
            small(),
            small(("lead.has_phone", WEST), ("!lead.is_bulk && lead.touch > 3", EAST)),
            "a lead known only as: lead.is_bulk no, lead.touch 4, lead.has_phone no",
            id="behind a rule that leads to the same place",
        ),
        pytest.param(
            small(), small(("has(lead.source)", EAST)), "a lead known only as: lead.source known", id="any word"
        ),
        pytest.param(
            small(),
            small(('"vip" in lead.flags && "new" in lead.flags', EAST)),
            "a lead known only as: lead.flags vip and new",
            id="words of a list",
        ),
    ],
)
def test_what_goes_elsewhere_is_told_by_what_its_leads_have_in_common(before: Policy, after: Policy, told: str) -> None:
    assert kinds(before, after) == [told]


PLAIN = {"mail.kind": "business", "company.industry": "~other", "lead.action": "demo"}


@pytest.mark.parametrize(
    ("before", "after", "example"),
    [
        pytest.param(
            small(sizes=SIZES, tiers=HOT_AND_COLD),
            small(('segment == "small"', EAST), sizes=SIZES, tiers=HOT_AND_COLD),
            PLAIN | {"company.employees": 0, "company.country": "US", "company.region": "amer"},
            id="a plain lead, as it came",
        ),
        pytest.param(
            small(),
            small(('company.country == "DE" && !has(company.state) && lead.has_phone', EAST)),
            {"mail.kind": "business", "company.country": "DE", "company.region": "emea", "lead.has_phone": True},
            id="one found by solving, with its region and without what it must not have",
        ),
        pytest.param(
            small(),
            small(('company.country == "DE" && company.region == "apac" && lead.has_phone', EAST)),
            {"mail.kind": "business", "company.country": "DE", "company.region": "apac", "lead.has_phone": True},
            id="one with a region of its own",
        ),
        pytest.param(
            small(),
            small(('company.country == "DE" && !has(company.region) && lead.has_phone', EAST)),
            {"mail.kind": "business", "company.country": "DE", "lead.has_phone": True},
            id="one that must have no region",
        ),
        pytest.param(
            small(('"vip" in lead.flags', "recycled_rep")),
            small(),
            {"mail.kind": "business", "lead.flags": ("vip",)},
            id="one with a word of a list",
        ),
    ],
)
def test_each_kind_comes_with_a_lead_of_it(before: Policy, after: Policy, example: dict[str, Any]) -> None:
    assert [moved.example for moved in diff(before, after).moved] == [example]


def test_two_rules_too_hard_to_tell_apart_hide_no_other_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.policy_diff.STEPS_A_PAIR", 5)
    hard = " || ".join(f"(lead.touch > {n} && lead.history < {n} && lead.has_phone)" for n in range(3, 9))
    assert kinds(small(), small((hard, EAST))) == []
    both = kinds(small(), small((hard, EAST), ("lead.is_bulk", EAST)))
    assert both == ["a lead known only as: lead.is_bulk yes, lead.touch 1"]


STEPS = "ladder: [{at: 1x, do: alert_manager}]"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        pytest.param(
            small(more=STEPS),
            small(more=STEPS.replace("1x", "2x")),
            ["ladder"],
            id="steps have no name",
        ),
        pytest.param(
            small(("lead.is_bulk", WEST), ("lead.has_phone", WEST)),
            small(("lead.is_bulk", WEST), ("lead.has_phone", WEST), ("lead.is_suspect", WEST)),
            ["rules.c"],
            id="a new rule leaves the others where they stand",
        ),
        pytest.param(
            small(("lead.is_bulk", WEST), ("lead.has_phone", WEST)),
            small(("lead.is_bulk", WEST)),
            ["rules.b"],
            id="as does one that goes",
        ),
        pytest.param(small(), small(sizes=SIZES), ["segments"], id="a first segment"),
        pytest.param(
            small(sizes=SIZES),
            small(sizes=SIZES.replace("100", "50")),
            ["segments.large.start"],
            id="a threshold",
        ),
        pytest.param(small(tiers=HOT_AND_COLD), small(tiers=WARM_AND_COLD), ["tiers.hot", "tiers.warm"], id="a tier"),
    ],
)
def test_settings_differ_by_name_where_they_have_names(before: Policy, after: Policy, changed: list[str]) -> None:
    assert [row.path for row in diff(before, after).changed] == changed


def test_a_lower_threshold_moves_the_leads_between() -> None:
    is_large = ('segment == "large"', EAST)
    found = diff(small(is_large, sizes=SIZES), small(is_large, sizes=SIZES.replace("100", "50")))
    (moved,) = found.moved
    assert (moved.kind, moved.before, moved.after) == (f"small (then large); {EVERYWHERE}", "pool west", "pool east")
    assert 50 <= int(str(moved.example["company.employees"])) < 100
    assert found.changed == (Changed("segments.large.start", 100, 50),)


OWNED, PERSONAL = ("has(account.owner)", "account_owner"), ('mail.kind == "personal"', EAST)


def test_rules_in_another_order_are_told_with_what_stays_and_whom_it_moves() -> None:
    before, after = small(OWNED, PERSONAL), small(PERSONAL, OWNED, ("lead.is_bulk", WEST), names="bac")
    told = list(sentences(diff(before, after)))
    assert told == [
        "1 kind of lead goes elsewhere:",
        "- a lead known only as: personal mail, account with an owner:",
        "    to pool east, by rule 'b'",
        "    before: to the owner of the account, by rule 'a'",
        "",
        "2 settings differ:",
        "- the rules stand in another order: 'b', 'a', 'rest'.",
        "- rule 'c' is new: when lead.is_bulk, to pool west.",
    ]


def test_what_is_new_and_what_is_gone_is_told_by_name() -> None:
    one, two = small(OWNED), small(OWNED, ("lead.is_bulk", EAST), tiers=HOT_AND_COLD)
    assert list(sentences(diff(one, two))) == [
        "1 kind of lead goes elsewhere:",
        "- a lead known only as: lead.is_bulk yes:",
        "    to pool east, by rule 'b'",
        "    before: to pool west, by rule 'rest'",
        "",
        "4 settings differ:",
        "- tier 'all' is gone.",
        "- tier 'hot' is new.",
        "- tier 'cold' is new.",
        "- rule 'b' is new: when lead.is_bulk, to pool east.",
    ]
    assert list(sentences(diff(two, one)))[-4:] == [
        "- tier 'hot' is gone.",
        "- tier 'cold' is gone.",
        "- tier 'all' is new.",
        "- rule 'b' is gone: when lead.is_bulk, to pool east.",
    ]
