"""docs/policy.md says what the code does."""

import re
from pathlib import Path

from routing.catalogue import CHOICES, KINDS
from routing.lint import lint
from routing.policy import compile_policy
from schemas.policy_file import PolicyFile
from tests.unit.routing.policies import SHIPPED

DOCS = (Path(__file__).parents[3] / "docs" / "policy.md").read_text()


def test_every_fact_is_documented_with_its_kind_and_words() -> None:
    for name, kind in KINDS.items():
        words = f": {', '.join(CHOICES[name])}" if name in CHOICES else ""
        assert f"| `{name}` | {kind.value}{words} |" in DOCS


def test_every_section_of_the_file_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", DOCS))
    assert {info.alias or name for name, info in PolicyFile.model_fields.items()} <= documented


def test_every_shipped_policy_is_named() -> None:
    assert all(f"`{name}`" in DOCS for name in SHIPPED)


def test_the_smallest_policy_of_the_page_compiles_without_errors() -> None:
    text = DOCS.split("```yaml\n")[1].split("```")[0]
    assert lint(compile_policy(text)) == ()
