import pytest

from routing.finding import Finding, Severity
from routing.lint import lint, lint_text, obstacles
from routing.policy import compile_policy
from routing.solving import MOST_STEPS, Budget
from tests.unit.routing.policies import SHIPPED, edited, shipped, text_of

BEFORE_LAST = "  - name: everything else"


def with_rules(*conditions: str) -> tuple[Finding, ...]:
    rows = "".join(
        f"  - {{name: extra {at}, when: '{condition}', to: {{pool: smb-sdr}}, because: abc, say: abc, owner: ops}}\n"
        for at, condition in enumerate(conditions)
    )
    return lint_text(text_of("default").replace(BEFORE_LAST, rows + BEFORE_LAST))


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_has_no_errors(name: str) -> None:
    assert [str(finding) for finding in lint(shipped(name)) if finding.severity is Severity.ERROR] == []


def test_the_default_policy_warns_of_nothing_but_places_without_a_team() -> None:
    assert codes(lint(shipped())) == {"matrix.catch_all_only"}


def test_kinds_of_lead_that_only_the_catch_all_takes_are_named_exactly() -> None:
    """A self-serve lead of less than high intent is nurtured; enterprise leads of all the Americas have a team."""
    kinds = [finding.what.partition(" reach only")[0] for finding in lint(shipped())]
    assert kinds == [
        "new enterprise leads in other countries of emea, apac",
        "new mid_market leads in US outside AZ, NM, OK, TX; in CA; in other countries of amer, emea, apac",
        "new self_serve leads of high intent in other countries of amer, emea, apac",
        "new smb leads in other countries of amer, emea, apac",
    ]


def test_a_kind_that_is_everywhere_names_no_place_and_one_of_some_industries_names_those() -> None:
    policy = edited(
        "default",
        ('segment == "smb" && company.country in ["US", "CA"]', 'segment == "smb" && company.industry == "saas"'),
    )
    kinds = [finding.what.partition(" reach only")[0] for finding in lint(policy)]
    assert "new smb leads (fintech, healthcare, manufacturing, other industries)" in kinds


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            " && has(company.employees)",
            "'enterprise Americas', 'mid-market Southwest', 'self-serve assist', which come",
        ),
        ("", "'enterprise Americas', 'mid-market Southwest', 'self-serve assist' and 1 more, which come"),
    ],
    ids=["three", "four"],
)
def test_of_many_rules_that_overlap_three_are_named_and_the_others_counted(more: str, told: str) -> None:
    found = with_rules(f'company.country == "US" && company.industry == "healthcare"{more}')
    (what,) = [finding.what for finding in found if finding.code == "rule.overlap" and "'extra 0'" in finding.what]
    assert told in what


def test_territory_first_warns_of_the_overlaps_that_it_is_about() -> None:
    assert codes(lint(shipped("territory-first"))) == {"matrix.catch_all_only", "rule.overlap"}


@pytest.mark.parametrize(
    ("condition", "is_reachable"),
    [
        pytest.param('segment == "enterprise" && company.region == "amer"', False, id="the same again"),
        pytest.param('company.employees >= 1000 && company.region == "amer"', False, id="the segment in numbers"),
        pytest.param('company.employees >= 999 && company.region == "amer"', True, id="one more headcount"),
        pytest.param('mail.kind == "personal" && icp', False, id="a case of an earlier rule"),
        pytest.param("lead.disqualified_days < 90 && lead.recycled", False, id="recycled in days"),
        pytest.param("lead.disqualified_days < 90", True, id="recycled with nobody to go back to"),
        pytest.param('segment == "smb" && company.country == "FR"', True, id="another country"),
        pytest.param('segment == "smb" && has(company.country) && company.country in ["US"]', False, id="a subset"),
        pytest.param('segment == "self_serve" && tier == "T3"', False, id="nurtured before"),
        pytest.param('segment == "self_serve" && tier == "T1"', False, id="never hot below the fit"),
        pytest.param("company.employees > 5 && company.employees < 6", False, id="no number between"),
        pytest.param('company.revenue > 5 && company.revenue < 6 && company.region == "emea"', True, id="a fraction"),
        pytest.param('company.state.startsWith("T") && company.region == "emea"', True, id="a prefix"),
        pytest.param("score > 100", False, id="beyond the scale"),
        pytest.param(
            '"a" in lead.behaviour && "b" in lead.behaviour && company.region == "apac"', True, id="two pages"
        ),
    ],
)
def test_a_rule_is_unreachable_exactly_where_no_lead_can_meet_it(condition: str, is_reachable: bool) -> None:
    assert ("rule.unreachable" not in codes(with_rules(condition))) is is_reachable


def test_an_unreachable_rule_names_the_one_that_takes_its_leads() -> None:
    said = next(f for f in with_rules('mail.kind == "personal" && icp') if f.code == "rule.unreachable")
    assert "'personal email'" in said.what
    assert said.where.line


def test_fifty_rules_warn() -> None:
    assert "rules.many" in codes(with_rules(*(f'lead.campaign == "c{n}"' for n in range(37))))
    assert "rules.many" not in codes(with_rules(*(f'lead.campaign == "c{n}"' for n in range(36))))


def test_a_hundred_rules_are_solved_within_the_budget() -> None:
    findings = with_rules(*(f'lead.campaign == "c{n}" && company.employees > {n}' for n in range(100)))
    assert MOST_STEPS >= 20_000
    assert not codes(findings) & {"rule.unsettled", "rule.unreachable"}


def test_findings_are_the_same_every_time() -> None:
    policy = compile_policy(text_of("territory-first"))
    assert lint(policy) == lint(compile_policy(text_of("territory-first")))


def test_a_pool_for_hot_leads_without_cover_after_hours_warns() -> None:
    policy = edited("default", ("    strategy: least_loaded\n    after_hours: after-hours\n", ""))
    assert "pool.no_after_hours" in codes(lint(policy))


def test_a_state_that_no_rule_takes_is_named_alone() -> None:
    policy = edited(
        "default",
        (
            'segment == "smb" && company.country in ["US", "CA"]',
            'segment == "smb" && !(has(company.state) && company.state == "TX")',
        ),
    )
    kinds = [finding.what.partition(" reach only")[0] for finding in lint(policy)]
    assert "new smb leads in US-TX" in kinds


def test_rules_that_ask_too_much_to_be_solved_are_said_to_be_unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.lint_rules.Budget", lambda: Budget(3))
    said = [finding for finding in lint(shipped()) if finding.code == "rule.unsettled"]
    assert {finding.severity for finding in said} == {Severity.WARNING}
    assert any("whether rule 'recycled' can be reached could not be settled" in finding.what for finding in said)
    assert len(said) > 1
    assert not [finding for finding in lint(shipped("territory-first")) if finding.code == "rule.overlap"]


PLAIN = """
division: main
timezone: America/Chicago
tiers: {all: {route_within: 1h, contact_within: 1h}}
pools:
  one: {members: {team: one}, lead: {role: manager}}
  two: {members: {team: two}, lead: {role: manager}}
queues:
  rest: {owner: {role: reviewer}, manager: {role: manager}}
rules:
"""
LAST = "  - {name: last, to: {queue: rest}, because: the rest, say: The rest., owner: ops}\n"


def in_order(*rules: tuple[str, str]) -> tuple[Finding, ...]:
    """What lint says of these rules, (condition, pool) each, before a catch-all."""
    rows = (
        f"  - {{name: r{at}, when: '{when}', to: {{pool: {pool}}}, because: abc, say: abc, owner: ops}}\n"
        for at, (when, pool) in enumerate(rules)
    )
    return lint_text(PLAIN + "".join(rows) + LAST)


TEXAS, SAAS, BIG = 'company.state == "TX"', 'company.industry == "saas"', "company.employees > 500"


@pytest.mark.parametrize(
    ("first", "second", "is_warned_of"),
    [
        pytest.param((TEXAS, "one"), (SAAS, "two"), True, id="a territory and an industry"),
        pytest.param((SAAS, "one"), (TEXAS, "two"), True, id="an industry and a territory"),
        pytest.param((TEXAS, "one"), (SAAS, "one"), False, id="to one pool"),
        pytest.param((SAAS, "one"), ('company.industry != "x"', "two"), False, id="two industries"),
        pytest.param((TEXAS, "one"), (BIG, "two"), False, id="a territory and a size"),
        pytest.param((TEXAS, "one"), (f"{TEXAS} || {SAAS}", "two"), False, id="one a case of the other"),
        pytest.param((f"{TEXAS} || {SAAS}", "one"), (TEXAS, "two"), False, id="the other a case of the one"),
        pytest.param((f"{TEXAS} && {BIG}", "one"), (f"{SAAS} && lead.has_phone", "two"), True, id="with other things"),
    ],
)
def test_territories_overlap_where_one_lead_fits_two_of_different_pools(
    first: tuple[str, str], second: tuple[str, str], is_warned_of: bool
) -> None:
    found = [finding for finding in in_order(first, second) if finding.code == "rule.overlap"]
    assert [finding.where.path for finding in found] == (["rules[1]"] if is_warned_of else [])
    assert all(finding.what.endswith("can fit 'r0', which comes first and gets them.") for finding in found)


@pytest.mark.parametrize("count", [5, 6])
def test_a_rule_of_many_conditions_is_warned_of_from_the_limit_on(count: int) -> None:
    when = " && ".join(f'lead.campaign != "c{number}"' for number in range(count))
    text = PLAIN.replace("rules:\n", "lint: {conditions: 6}\nrules:\n")
    rule = f"  - {{name: r, when: '{when}', to: {{pool: one}}, because: abc, say: abc, owner: ops}}\n"
    said = [finding.what for finding in lint_text(text + rule + LAST) if finding.code == "rule.many_conditions"]
    assert said == (["rule 'r' has 6 conditions; 6 or more are hard to follow."] if count == 6 else [])


def test_of_a_policy_of_one_rule_no_kind_of_lead_is_said_to_fall_through() -> None:
    assert "matrix.catch_all_only" not in codes(in_order())


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([(TEXAS, "one")], id="one state has a team"),
        pytest.param([(TEXAS, "one"), ('company.state == "AZ" && lead.campaign == "x"', "two")], id="another at times"),
    ],
)
def test_of_a_country_without_a_team_only_the_states_that_have_one_are_left_out(rules: list[tuple[str, str]]) -> None:
    kinds = [found.what.partition(" reach only")[0] for found in in_order(*rules) if found.code.startswith("matrix")]
    assert kinds == ["new leads in US outside TX; in other countries of amer, emea, apac"]


def test_what_only_the_catch_all_takes_is_said_at_the_catch_all_which_has_no_conditions_to_count() -> None:
    text = PLAIN.replace("rules:\n", "lint: {conditions: 1}\nrules:\n")
    rule = f"  - {{name: r, when: '{TEXAS}', to: {{pool: one}}, because: abc, say: abc, owner: ops}}\n"
    said = {finding.code: finding.where.path for finding in lint_text(text + rule + LAST)}
    assert (said["matrix.catch_all_only"], said["rule.many_conditions"]) == ("rules[1]", "rules[0].when")


@pytest.mark.parametrize("condition", ["answers.budget > 1000", 'answers.plan == "pro"', "answers.is_partner"])
def test_an_answer_of_a_form_may_be_a_number_a_word_or_yes(condition: str) -> None:
    assert not codes(with_rules(condition)) & {"rule.unreachable", "condition.kind"}


def test_an_answer_that_contradicts_itself_is_found_all_the_same() -> None:
    assert "rule.unreachable" in codes(with_rules("answers.budget > 1000 && answers.budget < 10"))


def test_what_a_later_build_finds_in_values_does_not_stand_in_the_way_of_a_roll_back() -> None:
    policy = compile_policy(text_of("starter") + 'weights: {senior: "2"}\n')
    errors = [
        {one.code for one in found if one.severity is Severity.ERROR} for found in (lint(policy), obstacles(policy, ()))
    ]
    assert "file.value" in errors[0]
    assert "file.value" not in errors[1] and "pool.empty" in errors[1]
