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
