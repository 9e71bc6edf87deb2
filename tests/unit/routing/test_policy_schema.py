"""The JSON Schema that editors use takes a policy file exactly where the compiler and lint take its form."""

import copy
import random
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from routing.lint import lint_text
from routing.policy_yaml import read
from schemas.export import policy_schema
from schemas.policy_file import PolicyFile
from tests.unit.routing.policies import SHIPPED, text_of

SCHEMA = Draft202012Validator(policy_schema(), format_checker=FormatChecker(["date"]))
BROKEN = File(__file__).parents[2] / "golden" / "policies" / "broken"
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, 10**6, "", " ", "x", "yes", "true", "1", "1.5", "T1", "5m", "2x", "0s"),
    *([], ["x"], [1], {}, {"x": 1}, {"pool": "x"}, "owner", "nan", "2026-01-01", "24.12.2026", "US", "UTC", "09:00"),
    *([["09:00", "18:00"]], ["09:00", "18:00"], "9:00", "pool:x", "manager", "a" * 90),
)
MUTATIONS = 60  # of each policy; 150 of each were looked at once
LOOKED_UP = {"zone.unknown", "calendar.holidays", "calendar.shift"}
"""What no schema can say: which zones and holidays there are, and whether a shift ends after it starts."""


def full(name: str) -> Any:
    """A shipped policy with every default written out, so that each part of a file is there to be broken."""
    whole = PolicyFile.model_validate(read(text_of(name)).data)
    return orjson.loads(whole.model_dump_json(by_alias=True))


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield (*at, key)
        yield from places(inner, (*at, key))


def broken(whole: Any, rng: random.Random) -> tuple[Any, str]:
    data = copy.deepcopy(whole)
    path = rng.choice(list(places(data)))
    holder = data
    for part in path[:-1]:
        holder = holder[part]
    how = rng.random()
    if how < 0.75 or isinstance(holder, list):
        value = rng.choice((*VALUES, [holder[path[-1]]], str(holder[path[-1]])))
        holder[path[-1]] = value
        return data, f"{path} = {value!r}"
    if how < 0.9:
        del holder[path[-1]]
        return data, f"{path} left out"
    holder[f"{path[-1]}s"] = holder.pop(path[-1])
    return data, f"{path} with an s"


def is_of_the_form(data: Any) -> bool | None:
    """Whether compiler and lint take the form; None where only a look-up refuses it."""
    try:
        PolicyFile.model_validate(data)
        PolicyFile.model_validate_json(orjson.dumps(data), strict=True)
    except ValidationError as error:
        return None if {row["type"] for row in error.errors()} <= LOOKED_UP else False
    return True


@pytest.mark.parametrize("name", SHIPPED)
def test_the_schema_takes_what_the_compiler_takes_and_nothing_else(name: str) -> None:
    rng, whole = random.Random(name), full(name)
    assert SCHEMA.is_valid(whole)
    differ = []
    for _ in range(MUTATIONS):
        data, how = broken(whole, rng)
        found = is_of_the_form(data)
        if found is not None and found is not SCHEMA.is_valid(data):
            differ.append((how, f"schema {not found}"))
    assert differ == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_schema_takes_every_shipped_policy_as_it_is_written(name: str) -> None:
    assert list(SCHEMA.iter_errors(read(text_of(name)).data)) == []


def test_what_the_schema_refuses_lint_refuses_in_words() -> None:
    text = text_of("starter").replace("senior_lane: null", 'senior_lane: {junior_floor: "0.2"}')
    assert not SCHEMA.is_valid(read(text).data)
    assert [one for one in lint_text(text) if one.code.startswith("file.")]
