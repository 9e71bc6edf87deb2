import hashlib

import jsonschema
import pytest

from routing.finding import Where
from routing.policy import PolicyInvalid, compile_policy, policy_hash
from routing.policy_yaml import DEEPEST, LARGEST_BYTES, Unreadable, read
from schemas.export import policy_schema
from schemas.policy_file import PolicyFile, ToQueue
from tests.unit.routing.policies import SHIPPED, edited, shipped, text_of


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_compiles(name: str) -> None:
    assert shipped(name).file.name == name


def test_the_hash_is_of_the_text_as_written() -> None:
    text = text_of("default")
    assert compile_policy(text).hash == hashlib.sha256(text.encode()).hexdigest()[:16] == policy_hash(text)
    assert compile_policy(text + "\n# a comment\n") != compile_policy(text) == compile_policy(text)


def test_the_catch_all_is_the_last_rules_target() -> None:
    assert shipped().catch_all == ToQueue(queue="catch-all")


def test_a_tier_that_the_policy_does_not_have_is_its_last() -> None:
    policy = shipped()
    assert policy.tier("T9") is policy.tier("T3")


def test_all_errors_of_the_structure_are_told_at_once() -> None:
    with pytest.raises(PolicyInvalid) as error:
        edited(
            "default",
            ("{pool: ent-amer}", "{pool: x}"),
            ("{pool: smb-sdr}", "{pool: y}"),
            ("hours: office", "hours: z"),
        )
    assert {finding.code for finding in error.value.findings} == {"pool.unknown", "calendar.unknown"}
    assert all(finding.where.line for finding in error.value.findings)


def test_all_errors_of_conditions_are_told_at_once_line_by_line() -> None:
    with pytest.raises(PolicyInvalid) as error:
        edited(
            "default",
            ("when: lead.recycled\n", "when: lead.\n"),
            ('when: mail.kind == "personal"\n', "when: mail.kinds == 1\n"),
        )
    first, second = error.value.findings
    assert (first.code, second.code) == ("condition.syntax", "condition.fact")
    assert str(error.value) == f"{first}\n{second}"


def test_every_default_number_of_the_requirements_is_in_the_model() -> None:
    file: PolicyFile = shipped("starter").file
    assert (file.recycling.days, file.nurture.threshold, file.nurture.within.days) == (90, 3, 7)
    assert file.weights == {"senior": 1.5, "normal": 1.0, "new": 0.5}
    assert (file.capacity.limit, file.capacity.assigned, file.capacity.ramping_share) == (40, 0.5, 0.5)
    assert file.capacity.stages == {"early": 0.5, "mid": 1.0, "late": 1.5}
    assert [(str(step.at), step.do.value) for step in shipped().file.ladder] == [
        ("0.5x", "remind_owner"),
        ("1x", "alert_manager"),
        ("2x", "reassign"),
        ("3x", "alert_leadership"),
    ]
    assert file.sla.reassignments == 1
    assert file.auto_reply.repeat_after.total_seconds() == 86_400
    pool = shipped().file.pools["mm-southwest"]
    assert pool.prefer_for.total_seconds() == 10
    assert pool.senior_lane is not None
    assert (pool.senior_lane.junior_floor, pool.senior_lane.floor_days, pool.senior_lane.floor_from) == (0.2, 30, 10)
    assert (pool.performance.best_share, pool.performance.bonus) == (0.2, 0.3)


def test_words_of_yaml_1_1_stay_words() -> None:
    assert read("a: [NO, on, off, 09:00, 1e3, 0x1F, 012]").data == {
        "a": ["NO", "on", "off", "09:00", 1000.0, "0x1F", 12]
    }


def test_truth_and_nothing_are_words_and_in_quotes_or_as_a_block_text() -> None:
    assert read("[true, True, false, False, null, ~, '', yes]").data == [
        True,
        True,
        False,
        False,
        None,
        None,
        "",
        "yes",
    ]
    assert read("a:\nb: 'true'\nc: |\n  5").data == {"a": None, "b": "true", "c": "5"}


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("a", "b"), 2, 3),
        (("a", "b", "c"), 2, 3),
        (("a", "b", "c", "d"), 2, 3),
        (("a", "e", 1), 3, 10),
        (("a", "e", 2), 3, 3),
        (("z",), 0, 0),
    ],
)
def test_what_is_not_written_stands_where_its_nearest_parent_does(
    path: tuple[str | int, ...], line: int, column: int
) -> None:
    found = read("a:\n  b: 1\n  e: [1, 2]\n").where(path)
    assert (found.line, found.column) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &x 1\nb: *x", id="an alias"),
        pytest.param("a: &x 1", id="an anchor"),
        pytest.param("a: !!python/object:os.system x", id="a python tag"),
        pytest.param("a: !mine x", id="a tag"),
        pytest.param("a: 1\na: 2", id="a duplicate key"),
        pytest.param("a: 1\n---\nb: 2", id="a second document"),
        pytest.param("{[1]: 2}", id="a list as a key"),
        pytest.param("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), id="too deep"),
        pytest.param("[" * 5_000, id="far too deep"),
        pytest.param("a: " + "x" * LARGEST_BYTES, id="too large"),
        pytest.param("a: [1, 2", id="unfinished"),
        pytest.param("a: \x00", id="a control character"),
    ],
)
def test_what_could_surprise_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_a_bomb_of_aliases_is_refused_before_it_is_built() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
    )
    with pytest.raises(PolicyInvalid, match="anchors"):
        compile_policy(bomb)


@pytest.mark.parametrize("text", ["", "- 1", "just words", "null", "[]"])
def test_what_is_no_mapping_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyInvalid, match="no policy"):
        compile_policy(text)


def test_the_examples_variants_are_small_edits_of_the_default() -> None:
    over_500 = edited("default", ("name: enterprise, from: 1000", "name: enterprise, from: 501"))
    assert over_500.bands[0].start == 501
    from_150 = edited("default", ("name: mid_market, from: 200", "name: mid_market, from: 150"))
    assert from_150.bands[1].start == 150
    plain = compile_policy(text_of("default") + "capacity: {count: plain}\n")
    assert plain.file.capacity.count == "plain"


@pytest.mark.parametrize("name", SHIPPED)
def test_editors_accept_a_shipped_policy_by_its_json_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(policy_schema())
    assert [error.message for error in validator.iter_errors(read(text_of(name)).data)] == []


def test_two_readings_of_one_text_are_one_policy() -> None:
    text = text_of("starter")
    one, other, more = compile_policy(text), compile_policy(text), compile_policy(text + "# more\n")
    assert {one, other} == {one}
    assert len({one, more}) == 2
    assert one != "a policy"


def test_a_text_that_is_empty_or_too_short_is_said_to_be_so() -> None:
    with pytest.raises(PolicyInvalid) as error:
        edited("default", ("name: account owner", "name: ''"), ("because: one person has", "because: ab #"))
    said = {finding.where.path: finding.what for finding in error.value.findings}
    assert said == {"rules[2].name": "this is empty.", "rules[0].because": "'ab' is too short."}


def test_an_error_in_a_condition_over_several_lines_is_pointed_at_where_the_condition_begins() -> None:
    with pytest.raises(PolicyInvalid) as error:
        edited("default", ("    when: lead.recycled\n", "    when: >-\n      lead.recycled\n      && &&\n"))
    (finding,) = error.value.findings
    line = text_of("default").splitlines().index("    when: lead.recycled") + 1
    assert (finding.where.path, finding.where.line) == ("rules[3].when", line)


@pytest.mark.parametrize(("most", "is_read"), [(5, True), (4, False)])
def test_a_file_of_more_values_than_may_be_is_refused(most: int, is_read: bool) -> None:
    text = "a: 1\nb: 2\n"  # the mapping, two keys, two values
    if is_read:
        assert read(text, most_nodes=most).data == {"a": 1, "b": 2}
    else:
        with pytest.raises(Unreadable, match="more than 4 values"):
            read(text, most_nodes=most)


def test_a_place_in_a_text_is_found_on_its_line_however_lines_end() -> None:
    for end in ("\n", "\r\n", "\r", "\u2028"):
        document = read(f"a: 1{end}b: 'x y'")
        assert document.inside(("b",), "x y", 2) == Where(2, 7, "b")
        assert document.inside(("b",), "other", 2) == Where(2, 1, "b")


def test_what_is_no_text_at_all_is_said_to_be_so() -> None:
    with pytest.raises(Unreadable, match="a character that is not printed stands here"):
        read("a: \x01")


def test_the_largest_size_is_told_in_kib() -> None:
    with pytest.raises(Unreadable, match="the file has 2 KiB; 2 is the most"):
        read("#" * 2049, largest_bytes=2048)
    assert read("#" * 2048, largest_bytes=2048).data is None


def test_a_policy_may_be_one_mebibyte_and_twenty_deep() -> None:
    assert read("#" * (1 << 20)).data is None
    with pytest.raises(Unreadable, match="the file has 1,024 KiB; 1,024 is the most"):
        read("#" * (1 << 20) + "#")
    assert read("[" * 20 + "]" * 20).data
    with pytest.raises(Unreadable, match="more than 20 deep"):
        read("[" * 21 + "]" * 21)


@pytest.mark.parametrize("target", ["[rep]", "{team: x}", "somewhere"])
def test_a_target_that_is_none_is_said_to_be_none(target: str) -> None:
    with pytest.raises(PolicyInvalid) as error:
        edited("default", ("    to: recycled_rep\n", f"    to: {target}\n"))
    (finding,) = error.value.findings
    assert (finding.code, finding.where.path) == ("rule.target", "rules[3].to")
    assert finding.what.endswith(" is no target.")


def said_of(*edits: tuple[str, str]) -> dict[str, tuple[str, str, str]]:
    """What is said of the default policy with these edits: by path, code, what is wrong and what is allowed."""
    with pytest.raises(PolicyInvalid) as error:
        edited("default", *edits)
    return {found.where.path: (found.code, found.what, found.allowed) for found in error.value.findings}


def test_a_target_that_names_a_person_beside_other_things_is_said_to() -> None:
    (said,) = said_of(("    to: recycled_rep\n", "    to: {team: x, rep: Jo}\n")).values()
    assert said[:2] == ("rule.names_person", "rep: 'Jo' names a person; rules name groups and roles.")


@pytest.mark.parametrize(
    ("edit", "path", "code"),
    [
        (("leadership: {role: leadership}", "leadership: {rep: Jo}"), "leadership.rep", "selector.names_person"),
        (("leadership: {role: leadership}", "rep: Jo"), "rep", "file.unknown_key"),
        (("recycling: {days: 90}", "recycling: {days: 90, rep: Jo}"), "recycling.rep", "file.unknown_key"),
    ],
    ids=["of a group", "of the file", "of no group"],
)
def test_a_key_names_a_person_only_where_a_group_is_chosen(edit: tuple[str, str], path: str, code: str) -> None:
    assert said_of(edit)[path][0] == code


@pytest.mark.parametrize(
    ("edit", "guess", "is_listed"),
    [
        (("    label: hot\n", "    labl: hot\n"), " Did you mean 'label'?", True),
        (("    label: hot\n", "    zzz: hot\n"), "", True),
        (("    strategy: least_loaded\n", "    strateg: least_loaded\n"), " Did you mean 'strategy'?", False),
        (("    strategy: least_loaded\n", "    zzz: least_loaded\n"), "", True),
    ],
    ids=["near one of twelve", "near none of twelve", "near one of nineteen", "near none of nineteen"],
)
def test_an_unknown_key_is_answered_by_a_guess_and_by_a_list_where_that_is_short_or_all_there_is(
    edit: tuple[str, str], guess: str, is_listed: bool
) -> None:
    ((_, what, allowed),) = said_of(edit).values()
    assert what.endswith(f" is not known here.{guess}")
    assert allowed.startswith("Allowed: ") is is_listed


@pytest.mark.parametrize(("length", "shown"), [(58, "x" * 58 + "'"), (59, "x" * 56 + "...")])
def test_a_long_value_is_shown_by_its_beginning(length: int, shown: str) -> None:
    (said,) = said_of(("threshold: 3", f"threshold: {'x' * length}")).values()
    assert said[1] == f"'{shown} is no whole number."


def test_an_opening_without_its_end_is_said_to_miss_it() -> None:
    said = said_of(('mon: [["00:00", "09:00"], ["18:00", "24:00"]]', 'mon: [["00:00"], ["18:00", "24:00"]]'))
    assert list(said) == ["calendars.nights.week.mon[0][1]"]
