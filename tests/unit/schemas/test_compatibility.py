import copy
from typing import Any

import pytest

from schemas.compatibility import Side, breaking_changes
from schemas.export import json_schema

DECISION = json_schema("lead.decided")
ACTIVITY = json_schema("activity.reported")


def _changed(schema: dict[str, Any], edit: Any) -> dict[str, Any]:
    changed = copy.deepcopy(schema)
    edit(changed)
    return changed


def test_a_schema_is_compatible_with_itself() -> None:
    assert breaking_changes(DECISION, DECISION, Side.WRITTEN) == ()
    assert breaking_changes(ACTIVITY, ACTIVITY, Side.READ) == ()


def test_an_added_optional_field_breaks_nobody() -> None:
    new = _changed(DECISION, lambda s: s["properties"].update(extra={"type": "string"}))
    assert breaking_changes(DECISION, new, Side.WRITTEN) == ()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(lambda s: s["properties"].pop("epoch"), "value.epoch: removed", id="a field removed"),
        pytest.param(
            lambda s: s["properties"]["epoch"].update(type="string"),
            "value.epoch: may now be string",
            id="a type changed",
        ),
        pytest.param(
            lambda s: s["required"].remove("epoch"), "value.epoch: no longer always there", id="a field made optional"
        ),
        pytest.param(
            lambda s: s["$defs"]["DecisionKind"]["enum"].append("guessed"),
            "value.kind: new values guessed",
            id="an enum widened",
        ),
        pytest.param(
            lambda s: s["$defs"]["Company"]["properties"].pop("country"),
            "value.lead.company.country: removed",
            id="a nested field removed",
        ),
        pytest.param(
            lambda s: s["$defs"]["SlaStep"]["properties"].pop("do"),
            "value.sla.steps[].do: removed",
            id="a field of a list in an optional part removed",
        ),
    ],
)
def test_a_breaking_change_of_what_we_write_is_refused(edit: Any, said: str) -> None:
    assert said in breaking_changes(DECISION, _changed(DECISION, edit), Side.WRITTEN)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(lambda s: s["required"].append("rep"), "value.rep: newly required", id="a field newly required"),
        pytest.param(
            lambda s: s["$defs"]["ActivityKind"]["enum"].remove("called"),
            "value.kind: values no longer taken: called",
            id="an enum narrowed",
        ),
        pytest.param(
            lambda s: s["properties"]["value"].update(anyOf=[{"type": "integer"}]),
            "value.value: may no longer be null, number",
            id="a type narrowed",
        ),
    ],
)
def test_a_breaking_change_of_what_we_read_is_refused(edit: Any, said: str) -> None:
    assert said in breaking_changes(ACTIVITY, _changed(ACTIVITY, edit), Side.READ)
