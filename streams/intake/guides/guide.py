"""A form that goes by steps: what each one asks, and for whom it is. Written in YAML, conditions as in the policy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from schemas.model import Typed
from streams.errors import Fatal
from streams.intake.guides.profile import Profile, value_of

if TYPE_CHECKING:
    from routing.conditions import Condition

FINAL = "final"
_NOT_ASKED = frozenset(
    {"id", "step", "session", "form", "profile", "action", "source", "division", "is_test", "submitted_at", "trap"}
)
"""What the site says, or nobody: never a visitor."""


class StepFile(Typed):
    """One page of a form. ask: fields of a submission, or "answers.<name>". when: CEL over the lead so far; none: all.

    A condition knows `company`, `lead`, `mail` and `answers`, as the policy does; what is not known yet makes it false.
    """

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9_-]*$")
    ask: tuple[str, ...] = Field(min_length=1)
    when: str | None = None

    @field_validator("name")
    @classmethod
    def _not_the_last(cls, name: str) -> str:
        if name == FINAL:
            raise ValueError("'final' is the submission itself; call the step otherwise")
        return name

    @field_validator("ask")
    @classmethod
    def _may_be_asked(cls, ask: tuple[str, ...]) -> tuple[str, ...]:
        for name in ask:
            group, _, inner = name.partition(".")
            if group in _NOT_ASKED or (inner and group != "answers") or name == "answers":
                raise ValueError(f"{name!r} is nothing to ask a visitor; ask a field, or answers.<name>")
        return ask


class GuideFile(Typed):
    """One form. remember_days: what was said longer ago is asked again (contact data decays, ENR-6).

    always: fields asked in each filling though they are known, such as the address on a shared computer.
    """

    steps: tuple[StepFile, ...] = Field(min_length=1, max_length=50)
    remember_days: int = Field(default=90, ge=0, le=3650)
    always: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its condition compiled."""

    name: str
    ask: tuple[str, ...]
    when: "Condition | None"


@dataclass(frozen=True, slots=True)
class Guide:
    """A form, ready to be asked what comes next."""

    name: str
    steps: tuple[Step, ...]
    remember: timedelta
    always: frozenset[str]

    @property
    def fields(self) -> frozenset[str]:
        """All that it may ask."""
        return frozenset(name for step in self.steps for name in step.ask)


@dataclass(frozen=True, slots=True)
class Page:
    """What to show next. name: "final" where nothing is missing."""

    name: str
    ask: tuple[str, ...] = ()


class GuidesInvalid(Fatal):
    """The guides file cannot be used. Correct what is named and start again."""


_GUIDES = TypeAdapter(dict[str, GuideFile])


def read_guides(path: Path | None) -> dict[str, Guide]:
    """Return the guides of a file by form, none without a file. Raises GuidesInvalid naming the entry."""
    if path is None:
        return {}
    try:
        files = _GUIDES.validate_python(yaml.safe_load(path.read_text()) or {})
    except (OSError, yaml.YAMLError) as error:
        raise GuidesInvalid(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no YAML'}.") from error
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
        raise GuidesInvalid(f"{path}: {told}") from error
    return {name: _guide(path, name, file) for name, file in files.items()}


def next_page(
    guide: Guide,
    fields: Mapping[str, Any],
    done: Collection[str],
    profile: Profile,
    facts: Mapping[str, Any],
    today: date,
) -> Page:
    """Return the first step that is for this visitor and asks anything that is not known; of it, what is missing.

    fields: what this filling has said. done: steps that it has shown, whatever was answered: nobody is asked twice.
    facts: of the lead so far, profile included, as `routing.facts` makes them.
    """
    from routing.conditions import context_of, evaluate

    known = profile.known(today - guide.remember) - guide.always
    context = context_of(facts)
    for step in guide.steps:
        if step.name in done or (step.when is not None and not evaluate(step.when, context).matched):
            continue
        missing = tuple(name for name in step.ask if name not in known and value_of(fields, name) in (None, ""))
        if missing:
            return Page(step.name, missing)
    return Page(FINAL)


def _guide(path: Path, name: str, file: GuideFile) -> Guide:
    names = [step.name for step in file.steps]
    if len(set(names)) != len(names):
        raise GuidesInvalid(f"{path}: {name}.steps: two steps have one name.")
    steps = tuple(Step(one.name, one.ask, _condition(path, name, one)) for one in file.steps)
    return Guide(name, steps, timedelta(days=file.remember_days), frozenset(file.always))


def _condition(path: Path, name: str, step: StepFile) -> "Condition | None":
    from routing.conditions import ConditionInvalid, compile_condition

    if step.when is None:
        return None
    try:
        return compile_condition(step.when)
    except ConditionInvalid as error:
        raise GuidesInvalid(f"{path}: {name}, step {step.name}, when: {error}. {error.allowed}".rstrip()) from error
