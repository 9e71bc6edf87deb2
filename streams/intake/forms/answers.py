"""From questions and answers to the fields of a submission."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from streams.importer.columns import mapping_of
from streams.intake.forms.source import Form


@dataclass(frozen=True, slots=True)
class Answered:
    """One question and what was answered. names: what it may be called by (title, reference, id), best first."""

    names: tuple[str, ...]
    value: Any


def lead_of(
    answers: Iterable[Answered], form: Form, event_id: str, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the submission: questions that mean a field as that field, the others raw, under `questions`.

    What a visitor types is anybody's guess, so rules see an answer only where the forms file says so:
    `fields: {"Your budget?": answers.budget}`.
    A question means what the forms file says, else what its name says (the names that an import knows). The form's own
    `lead` fields fill what nobody answered. known: what the tool itself says of it. event_id: the same each time this
    submission is sent.
    """
    fields: dict[str, Any] = {}
    others: dict[str, Any] = {}
    answered: dict[str, Any] = {}
    for row in answers:
        if row.value in (None, "", [], {}):
            continue
        field = _field(row.names, form.source.fields)
        if field is None:
            others[row.names[0]] = row.value
        elif field.startswith(_ANSWERS):
            answered[field.removeprefix(_ANSWERS)] = row.value
        elif field:
            fields.setdefault(field, row.value)
    fields |= {name: rows for name, rows in (("answers", answered), ("questions", others)) if rows}
    fields = {**form.source.lead, **{k: v for k, v in (known or {}).items() if v not in (None, "")}, **fields}
    fields.setdefault("form", form.name)
    return {**fields, "id": event_id}


def _field(names: tuple[str, ...], chosen: Mapping[str, str]) -> str | None:
    """Return the field that a question means, "" where it is left out, None where it is a question of its own."""
    for name in names:
        if name in chosen:
            return chosen[name]
    for name in names:
        found = mapping_of((name,), {}).fields
        if name in found and found[name] not in _OURS:
            return found[name]
    return None


_ANSWERS = "answers."
_OURS = frozenset({"division", "is_test", "foreign_id", "action", "source", "form", "submitted_at"})
"""What no visitor may say by the wording of an answer; the forms file may."""
