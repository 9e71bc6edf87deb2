"""From a body to the records it asks for: checked here, so that what is acknowledged can be handled."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.activity import ActivityReported
from schemas.ids import derived_id
from schemas.rep import Rep
from schemas.suppression import Suppression
from schemas.wire import encode
from streams.intake.problem import FieldProblem, Refused, invalid

# One of these must be there: without any, nobody could ever act on the lead.
WAYS_TO_A_LEAD = ("email", "phone", "foreign_id", "company", "website", "linkedin")
WAYS_TO_AN_ACTIVITY = ("lead_id", "foreign_id", "opportunity_id", "email")


@dataclass(frozen=True, slots=True)
class Submission:
    """One record to publish. id: its `ce_id`. key: the Kafka key, never personal data. value: JSON bytes."""

    id: str
    topic: str
    key: str
    type: str
    value: bytes


def leads(body: Any, client: str, now: datetime, max_batch: int) -> tuple[Submission, ...]:
    """Return one submission a lead. All or none: raises Refused if any is unfit.

    A lead without submitted_at gets `now`: its clock starts here, not when Kafka has it. A wrong optional field is
    no reason to refuse; it is flagged by ENRICH.
    """
    return _each(body, max_batch, lambda fields, at: _lead(fields, at, client, now))


def activities(body: Any, client: str, now: datetime, max_batch: int) -> tuple[Submission, ...]:
    """Return one submission an activity. All or none: raises Refused if any is unfit."""
    return _each(body, max_batch, lambda fields, at: _activity(fields, at, client, now))


def rep(body: Any, rep_id: str) -> Submission:
    """Return the roster entry of `rep_id`. Raises Refused. Same body, same id: a repeat is recognisable."""
    if not isinstance(body, dict):
        raise invalid([FieldProblem(field="body", problem="a rep is a JSON object", fix="Send one object.")])
    if body.get("id", rep_id) != rep_id:
        raise invalid([FieldProblem(field="id", problem="differs from the path", fix="Leave it out of the body.")])
    try:
        return roster_entry(Rep.model_validate({**body, "id": rep_id}))
    except ValidationError as error:
        raise invalid(_problems(error, "", Rep)) from error


def _each(body: Any, max_batch: int, made: Callable[[Any, str], Submission]) -> tuple[Submission, ...]:
    if not isinstance(body, list):
        return (made(body, ""),)
    if not 1 <= len(body) <= max_batch:
        raise invalid(
            [
                FieldProblem(
                    field="body", problem=f"an array of {len(body)}", fix=f"Send 1 to {max_batch} in one request."
                )
            ]
        )
    submissions: list[Submission] = []
    errors: list[FieldProblem] = []
    for index, fields in enumerate(body):
        try:
            submissions.append(made(fields, f"{index}."))
        except Refused as refused:
            errors.extend(refused.details.errors)
    if errors:
        raise invalid(errors[:50])
    return tuple(submissions)


def _lead(fields: Any, at: str, client: str, now: datetime) -> Submission:
    _require_object(fields, at, "a lead")
    if fields.get("step") in (None, "", "final"):  # an earlier step may know nothing of the kind yet
        _require_one_of(fields, at, WAYS_TO_A_LEAD)
    event_id = _event_id(fields, at, "lead", client)
    stamped = {"submitted_at": now.astimezone(UTC).isoformat(), **{k: v for k, v in fields.items() if v is not None}}
    value = encode({**stamped, "id": fields.get("id") or event_id})
    assert value is not None
    session = fields.get("session")  # the steps of one filling meet in one partition
    key = derived_id(session, f"intake/{client}", "session") if isinstance(session, str) else event_id
    return Submission(event_id, "leads.raw", key, "lead.submitted", value)


def _activity(fields: Any, at: str, client: str, now: datetime) -> Submission:
    _require_object(fields, at, "an activity")
    try:
        activity = ActivityReported.model_validate({"at": now, **fields})
    except ValidationError as error:
        raise invalid(_problems(error, at, ActivityReported)) from error
    if activity.kind.value != "opportunity_changed" or not activity.rep:
        _require_one_of(fields, at, WAYS_TO_AN_ACTIVITY)
    return _reported(activity, _event_id(fields, at, "activity", client))


def reported(activity: ActivityReported, source: str) -> Submission:
    """Return an activity that an adapter made. source: the adapter. The activity's id makes a repeat recognisable."""
    return _reported(activity, derived_id(activity.id or str(uuid.uuid4()), f"intake/{source}", "activity"))


def roster_entry(rep: Rep) -> Submission:
    """Return a roster entry. Same entry, same id: a repeat is recognisable."""
    value = encode(rep)
    assert value is not None
    return Submission(derived_id(value.hex(), "intake", "rep"), "reps", rep.id, "rep.put", value)


def suppressed(person: str, now: datetime) -> Submission:
    """Return the record that ends automatic replies to `person`, a person id."""
    value = encode(Suppression(person=person, at=now))
    assert value is not None
    return Submission(derived_id(person, "intake", "suppression"), "suppressions", person, "suppression.put", value)


def _reported(activity: ActivityReported, event_id: str) -> Submission:
    value = encode(activity.model_copy(update={"id": activity.id or event_id}))
    assert value is not None
    key = activity.lead_id or activity.foreign_id or activity.opportunity_id or event_id  # no address in a key
    return Submission(event_id, "leads.activity", key, "activity.reported", value)


def _event_id(fields: dict[str, Any], at: str, kind: str, client: str) -> str:
    """Return the same id for the same client and id, for ever; a fresh one where the caller gave none."""
    given = fields.get("id")
    if given is None:
        return str(uuid.uuid4())
    if not isinstance(given, str) or not 1 <= len(given) <= 200:
        raise invalid(
            [FieldProblem(field=f"{at}id", problem="not a text of 1 to 200", fix="Send a text, or leave it out.")]
        )
    return derived_id(given, f"intake/{client}", kind)


def _require_object(fields: Any, at: str, what: str) -> None:
    if not isinstance(fields, dict):
        field = at.rstrip(".") or "body"
        raise invalid([FieldProblem(field=field, problem=f"{what} is a JSON object", fix="Send an object.")])


def _require_one_of(fields: dict[str, Any], at: str, names: Sequence[str]) -> None:
    if not any(fields.get(name) not in (None, "") for name in names):
        listed = ", ".join(names)
        raise invalid(
            [FieldProblem(field=f"{at}{names[0]}", problem=f"none of {listed} is given", fix="Give at least one.")]
        )


def _problems(error: ValidationError, at: str, model: type[BaseModel]) -> list[FieldProblem]:
    """Return what is wrong, without the values: they may be personal."""
    rows = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        FieldProblem(
            field=at + ".".join(str(part)[:60] for part in row["loc"]),
            problem=row["msg"],
            fix=_fix(row["type"], str(row["loc"][0]) if row["loc"] else "", model),
        )
        for row in rows[:50]
    ]


def _fix(kind: str, field: str, model: type[BaseModel]) -> str:
    if kind == "missing":
        return f"Add {field}."
    if kind == "extra_forbidden":
        return "Remove it, or correct its spelling. Known: " + ", ".join(sorted(model.model_fields)) + "."
    return "Send a value that fits; /openapi.json has the schema."
