"""What lint says of a policy file beside its rules: selectors, roles, skills, words that are people, conditions."""

from itertools import pairwise

import pytest

from routing.finding import Finding
from routing.lint import unsolved
from routing.policy import PolicyInvalid, compile_policy
from schemas.rep import Backup, Rep
from tests.unit.routing.policies import text_of
from tests.worked.world import ROSTER, person

REPS = [rep for rep, _ in ROSTER.values()]
POOL = "  smb-sdr:\n"
MEMBERS = "    members: {role: [rep, ae, sdr], team: smb-sdr}\n"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS_OPEN = "{" + ", ".join(f'{day}: [["00:00", "24:00"]]' for day in DAYS) + "}"


def found(code: str, *edits: tuple[str, str], roster: list[Rep] | None = None) -> list[Finding]:
    """The findings of one code in the default policy with these edits, each at its first place."""
    text = text_of("default")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    try:
        findings = [*unsolved(compile_policy(text), roster)]
    except PolicyInvalid as error:
        findings = [*error.findings]
    return [finding for finding in findings if finding.code == code]


def whats(*args: tuple[str, str], code: str, roster: list[Rep] | None = None) -> list[tuple[str, str]]:
    return [(finding.where.path, finding.what) for finding in found(code, *args, roster=roster)]


def test_a_pool_that_chooses_everybody_is_warned_of() -> None:
    lead = "    lead: {role: manager, team: smb-sdr}\n"
    assert whats((MEMBERS, "    members: {}\n"), (lead, "    lead: {}\n"), code="selector.everybody") == [
        ("pools.smb-sdr.members", "members of pool 'smb-sdr' chooses everybody of the division."),
        ("pools.smb-sdr.lead", "lead of pool 'smb-sdr' chooses everybody of the division."),
    ]


def test_a_policy_without_a_rule_for_open_duplicates_is_warned_of() -> None:
    rule = ("    when: lead.open_duplicate\n    to: owner\n", "    when: lead.open_duplicate\n    to: quarantine\n")
    assert whats(rule, code="rule.no_duplicate") == [("rules", "no rule sends an open duplicate to its owner.")]
    assert whats(code="rule.no_duplicate") == []


@pytest.mark.parametrize("rules", [1, 2])
def test_a_policy_of_a_single_rule_needs_none_for_duplicates(rules: int) -> None:
    text = text_of("starter")
    extra = "  - {name: more, when: icp, to: {pool: team}, because: abc, say: abc, owner: ops}\n"
    policy = compile_policy(text.replace("rules:\n", f"rules:\n{extra}") if rules == 2 else text)
    assert len(policy.rules) == rules
    warned = [finding.code for finding in unsolved(policy) if finding.code == "rule.no_duplicate"]
    assert warned == ["rule.no_duplicate"] * (rules - 1)


def test_a_pool_that_nothing_leads_to_is_warned_of_unless_a_step_or_another_pool_does() -> None:
    unused = (POOL, "  spare:\n    members: {team: x}\n    lead: {team: y}\n" + POOL)
    assert whats(unused, code="pool.unused") == [("pools.spare", "no rule leads to pool 'spare'.")]
    step = ("queues:\n", 'ladder: [{at: 1x, do: alert_manager}, {at: 2x, do: move, to: "pool:spare"}]\nqueues:\n')
    for way in ("overflow", "after_hours", "hands_to"):
        other = ("  general-qual:\n    members", f"  general-qual:\n    {way}: spare\n    members")
        if way == "after_hours":
            other = ("    hours: southwest\n    after_hours: after-hours\n", "    after_hours: spare\n")
        assert whats(unused, other, code="pool.unused") == []
    assert whats(unused, step, code="pool.unused") == []


@pytest.mark.parametrize(
    ("week", "is_warned_of"),
    [
        pytest.param(f"week: {ALWAYS_OPEN}", False, id="always open"),
        pytest.param(f"holidays: [US], week: {ALWAYS_OPEN}", True, id="but on holidays"),
        pytest.param("week: " + ALWAYS_OPEN.replace("24:00", "23:59", 1), True, id="but for a minute"),
        pytest.param("week: " + ALWAYS_OPEN.replace("00:00", "12:00"), True, id="in the afternoons"),
    ],
)
def test_a_pool_for_hot_leads_needs_a_cover_unless_its_calendar_is_always_open(week: str, is_warned_of: bool) -> None:
    calendar = ("calendars:\n", f"calendars:\n  always: {{timezone: UTC, {week}}}\n")
    own = ("    hours: southwest\n    after_hours: after-hours\n", "    hours: always\n")
    said = ("pools.mm-southwest", "pool 'mm-southwest' has nobody for T1 leads outside its hours.")
    assert whats(calendar, own, code="pool.no_after_hours") == ([said] if is_warned_of else [])


def test_without_a_calendar_a_pool_is_always_open_and_without_hot_tiers_none_is_warned_of() -> None:
    no_hours = ("hours: office\n", "")
    bare = ("    hours: southwest\n    after_hours: after-hours\n", "")
    assert whats(no_hours, bare, code="pool.no_after_hours") == []
    assert len(whats(bare, code="pool.no_after_hours")) == 1
    assert whats(bare, ("    clock: always\n", "    clock: owner_hours\n"), code="pool.no_after_hours") == []


def test_a_ladder_that_reminds_the_owner_alone_is_an_error() -> None:
    ladder = ("queues:\n", "ladder: [{at: 1x, do: remind_owner}]\nqueues:\n")
    told = "this ladder tells nobody but the owner: a lead of someone who is away would wait unseen."
    assert whats(ladder, code="step.no_recipient") == [("ladder", told)]
    more = ("queues:\n", "ladder: [{at: 1x, do: remind_owner}, {at: 2x, do: reassign}]\nqueues:\n")
    assert whats(more, code="step.no_recipient") == []


@pytest.mark.parametrize(
    ("need", "told"),
    [
        pytest.param("{rep: languages, any_of: [de, fr]}", "languages de, fr", id="which nobody has"),
        pytest.param("{rep: languages, any_of: [de, es]}", None, id="one of which somebody has"),
        pytest.param("{rep: languages, fact: lead.language}", None, id="by the lead"),
        pytest.param("{rep: seniority, any_of: [principal]}", "seniority principal", id="in a single word"),
        pytest.param("{rep: seniority, any_of: [normal]}", None, id="which all have"),
    ],
)
def test_a_need_that_no_active_member_meets_is_an_error(need: str, told: str | None) -> None:
    roster = [rep.model_copy(update={"languages": ("es",)}) if rep.id == "S1" else rep for rep in REPS]
    edit = (MEMBERS, f"{MEMBERS}    require: [{need}]\n")
    said = ("pools.smb-sdr.require[0]", f"pool 'smb-sdr' requires {told}, which no member has.")
    assert whats(edit, code="pool.skill", roster=roster) == ([said] if told else [])


@pytest.mark.parametrize(("role", "is_known"), [("leadership", True), ("board", False)])
def test_a_step_that_tells_a_role_nobody_has_is_an_error(role: str, is_known: bool) -> None:
    edit = ("queues:\n", f"ladder: [{{at: 1x, do: alert_manager, also: [leadership, {role}]}}]\nqueues:\n")
    said = ("ladder[0].also", f"this step also tells the role {role!r}, which nobody active has.")
    assert whats(edit, code="step.no_recipient", roster=REPS) == ([] if is_known else [said])


@pytest.mark.parametrize(
    ("edit", "path", "told"),
    [
        pytest.param(
            ("team: smb-sdr}", "team: [smb-sdr, S1]}"),
            "pools.smb-sdr.members.team",
            "pool 'smb-sdr' is chosen by team 'S1', which is a person of the roster.",
            id="a team that is a person",
        ),
        pytest.param(
            ("sdr], team: smb-sdr}", "S2], team: smb-sdr}"),
            "pools.smb-sdr.members.role",
            "pool 'smb-sdr' is chosen by role 'S2', which is a person of the roster.",
            id="a role that is a person",
        ),
    ],
)
def test_a_selector_that_names_a_person_is_an_error(edit: tuple[str, str], path: str, told: str) -> None:
    assert (path, told) in whats(edit, code="selector.names_person", roster=REPS)
    assert whats(code="selector.names_person", roster=REPS) == []


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        pytest.param('account.owner == "E1"', "'E1' is E1", id="by id"),
        pytest.param('account.owner in ["x", "E2"]', "'E2' is E2", id="in a list"),
        pytest.param('account.owner == "x"', None, id="nobody"),
        pytest.param('account.owner == ""', None, id="no name, as somebody's of the roster"),
        pytest.param("has(account.owner)", None, id="whoever it is"),
    ],
)
def test_a_rule_that_names_a_person_is_an_error(condition: str, names: str | None) -> None:
    edit = ("    when: has(account.owner)\n", f"    when: '{condition}'\n")
    said = ("rules[2].when", f"rule 'account owner' names a person: {names} of the roster.")
    roster = [*REPS, person("N1", "elsewhere").model_copy(update={"name": ""})]
    assert whats(edit, code="rule.names_person", roster=roster) == ([said] if names else [])


def test_a_person_is_found_behind_a_country() -> None:
    edit = ("    when: has(account.owner)\n", '    when: \'company.country == "US" && account.owner == "E1"\'\n')
    assert [path for path, _ in whats(edit, code="rule.names_person", roster=REPS)] == ["rules[2].when"]


def test_a_country_is_no_person_though_somebody_has_its_letters() -> None:
    assert "CA" in ROSTER and '["US", "CA"]' in text_of("default")
    assert whats(code="rule.names_person", roster=REPS) == []


def test_who_is_their_own_manager_or_has_one_who_left_is_told() -> None:
    roster = [
        *REPS,
        person("A1", "smb-sdr", manager="A1"),
        person("A2", "smb-sdr", manager="X9"),
        person("A3", "smb-sdr", manager="nobody"),
        person("A4", "smb-sdr", manager="SM"),
        person("A5", "smb-sdr", manager="nobody", active=False),
    ]
    told = "A1 is their own manager: an alert would reach nobody else."
    assert whats(code="roster.own_manager", roster=roster) == [("roster.A1.manager", told)]
    ghosts = {what for path, what in whats(code="roster.ghost", roster=roster) if path.endswith(".manager")}
    assert ghosts == {
        "ghost user: A2 has the manager X9, who is deactivated.",
        "ghost user: A3 has the manager nobody, who is not in the roster.",
    }


@pytest.mark.parametrize(
    ("condition", "code", "told"),
    [
        ("calendar.moon", "condition.calendar", "calendar.moon asks for a calendar that the policy does not have."),
        ("company.country", "condition.kind", "company.country is a word, which is neither true nor false."),
        ("company.employees", "condition.kind", "company.employees is a number, which is neither true nor false."),
        ('company.employees == "5"', "condition.kind", 'company.employees is a number; company.employees == "5" can'),
        ("company.country == 5", "condition.kind", "company.country is a word; company.country == 5 can never hold."),
        ('lead.behaviour == "a"', "condition.kind", "lead.behaviour is a"),
        ("5 in lead.behaviour", "condition.kind", "lead.behaviour is a"),
        ("lead.behaviour == 5", "condition.kind", "lead.behaviour is a"),
        ("icp == 1", "condition.kind", "icp is a"),
        ('tier == "T9"', "condition.word", 'tier is never "T9".'),
        ('segment in ["smb", "giant"]', "condition.word", 'segment is never "giant".'),
        ('company.size == "5"', "condition.fact", "company.size is no fact of a lead."),
    ],
)
def test_a_condition_that_can_never_hold_is_an_error(condition: str, code: str, told: str) -> None:
    findings = whats(("    when: has(account.owner)\n", f"    when: '{condition}'\n"), code=code)
    assert [(path, what.startswith(told)) for path, what in findings] == [("rules[2].when", True)], findings


@pytest.mark.parametrize(
    "condition",
    ["calendar.office", "icp", "!icp", 'answers.budget == "5"', "answers.budget == 5", "answers.agreed"],
)
def test_a_condition_that_may_hold_is_not_complained_of(condition: str) -> None:
    assert "    when: has(account.owner)\n" in text_of("default")
    compile_policy(text_of("default").replace("    when: has(account.owner)\n", f"    when: '{condition}'\n"))


ELSEWHERE = [rep.model_copy(update={"division": "emea"}) if rep.team == "smb-sdr" else rep for rep in REPS]
LEFT = [rep.model_copy(update={"active": False}) if rep.id in ("S1", "S2", "S3") else rep for rep in REPS]


@pytest.mark.parametrize(
    ("roster", "is_empty"),
    [(REPS, False), (ELSEWHERE, True), (LEFT, True)],
    ids=["three", "of another division", "left"],
)
def test_a_pool_is_empty_where_nobody_active_of_the_division_is_in_it(roster: list[Rep], is_empty: bool) -> None:
    told = "pool 'smb-sdr' is empty: nobody active fits role rep or ae or sdr, team smb-sdr."
    assert whats(code="pool.empty", roster=roster) == ([("pools.smb-sdr.members", told)] if is_empty else [])
    ghosts = [what for path, what in whats(code="roster.ghost", roster=roster) if path == "pools.smb-sdr.members"]
    assert [ghost.split()[2] for ghost in ghosts] == (["S1", "S2", "S3"] if roster is LEFT else [])


@pytest.mark.parametrize(("wanted", "is_empty"), [("[de, fr]", False), ("[fr, it]", True)])
def test_who_has_one_of_the_languages_that_a_pool_asks_for_is_in_it_whatever_else_they_speak(
    wanted: str, is_empty: bool
) -> None:
    roster = [rep.model_copy(update={"languages": ("en", "de")}) if rep.id == "S1" else rep for rep in REPS]
    edit = (MEMBERS, MEMBERS.replace("}", f", languages: {wanted}}}"))
    assert bool(whats(edit, code="pool.empty", roster=roster)) is is_empty


def test_a_role_that_only_somebody_who_left_has_is_nobodys() -> None:
    edit = ("queues:\n", "ladder: [{at: 1x, do: alert_manager, also: [coach]}]\nqueues:\n")
    for active in (True, False):
        roster = [*REPS, person("C1", "coaches", "coach", active=active)]
        assert bool(whats(edit, code="step.no_recipient", roster=roster)) is not active


@pytest.mark.parametrize(("step", "is_told"), [("alert_leadership", True), ("alert_manager", False)])
def test_leadership_may_be_empty_where_no_ladder_alerts_it(step: str, is_told: bool) -> None:
    steps = f"[{{at: 1x, do: {step}}}]"
    edit = ("queues:\n", f"ladder: {steps}\nqueue_ladder: [{{at: 1x, do: alert_manager}}]\nqueues:\n")
    roster = [rep for rep in REPS if rep.role != "leadership"]
    told = "the ladder alerts leadership, which is empty: nobody active fits role leadership."
    assert whats(edit, code="step.no_recipient", roster=roster) == ([("leadership", told)] if is_told else [])


def backed_up(*names: str) -> list[Rep]:
    """Reps of a team, each with the next of these as backup."""
    pairs = pairwise(names)
    last = [person(names[-1], "smb-sdr")] if names[-1] not in names[:-1] else []
    return [*REPS, *(person(one, "smb-sdr", backups=(Backup(rep=two),)) for one, two in pairs), *last]


@pytest.mark.parametrize(
    ("names", "code", "told"),
    [
        ("B1 B2 B3 B4", "roster.backup_chain", []),
        (
            "B1 B2 B3 B4 B5",
            "roster.backup_chain",
            ["the chain of backups B1 -> B2 -> B3 -> B4 -> B5 is longer than 3."],
        ),
        ("B1 B2 B3 B2", "roster.backup_cycle", ["backups run in a circle: B2 -> B3 -> B2."]),
        ("B1 B2 B3 B2", "roster.backup_chain", []),
        ("B1 B1", "roster.backup_cycle", ["backups run in a circle: B1 -> B1."]),
    ],
)
def test_backups_run_in_no_circle_and_no_further_than_the_policy_goes(names: str, code: str, told: list[str]) -> None:
    assert [what for _, what in whats(code=code, roster=backed_up(*names.split()))] == told


def test_a_backup_who_is_not_there_or_has_left_is_told_and_ends_the_chain() -> None:
    roster = [*backed_up("B1", "nobody")[:-1], person("B2", "smb-sdr", backups=(Backup(rep="X9"),))]
    ghosts = [what for path, what in whats(code="roster.ghost", roster=roster) if path.endswith("backups")]
    assert ghosts == [
        "ghost user: B1 has the backup nobody, who is not in the roster.",
        "ghost user: B2 has the backup X9, who is deactivated.",
    ]
