from importlib.resources import files

import pytest

from routing.policy import compile_policy
from routing.unheeded import UNHEEDED, unheeded
from schemas.policy_file import PolicyFile

STARTER = (files("routing.policies") / "starter.yaml").read_text()
SHIPPED = ("starter", "default", "territory-first", "enterprise")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_sets_nothing_that_has_no_effect(name: str) -> None:
    policy = compile_policy((files("routing.policies") / f"{name}.yaml").read_text())
    assert [str(finding) for finding in unheeded(policy)] == []


def test_a_part_without_effect_is_named_with_its_line() -> None:
    policy = compile_policy(STARTER + "\noptions:\n  shadow_change: 7d\n")
    (finding,) = unheeded(policy)
    assert finding.code == "part.unheeded"
    assert finding.where.path == "options.shadow_change"
    assert finding.where.line > 0


def test_the_list_names_fields_that_there_are() -> None:
    for section, field in UNHEEDED:
        model = PolicyFile.model_fields[section].annotation
        assert model is not None
        assert field in model.model_fields


def test_of_the_alarms_those_that_the_board_acts_on_are_not_warned_of_and_each_other_one_is() -> None:
    limits = "rule_reassigned: 0.3, rule_unmatched_for: 10d, reassignments_in_a_day: 3, enrichment_drop_points: 5"
    assert list(unheeded(compile_policy(f"{STARTER}\nalarms: {{{limits}}}\n"))) == []
    said = [str(one.where.path) for one in unheeded(compile_policy(f"{STARTER}\nalarms: {{fairness: 3, {limits}}}\n"))]
    assert said == ["alarms.fairness"]
