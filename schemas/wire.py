"""CloudEvents 1.0 in Kafka's binary mode: attributes in headers, JSON in the value."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from schemas.account import Account
from schemas.activity import ActivityBound, ActivityReported
from schemas.bookmark import Bookmark
from schemas.decision import Decision, DecisionsJournalled, decision_json, decision_read
from schemas.delivery import DeadLettered, DeliverySettled, NoticeSettled, Xref
from schemas.device import Device
from schemas.digest import DigestItem
from schemas.effects import Wake
from schemas.lead import LeadEnriched, LeadPending, LeadScored, RawLead, SubmittedLead
from schemas.poison import Poison
from schemas.policy import PolicyActivated, PolicyBody, PolicyPointer
from schemas.rep import Rep, RepChanged
from schemas.resend import Resend
from schemas.scored import plain
from schemas.suppression import Suppression
from schemas.timer import TimerArmed, WakeUp

MODELS: dict[str, type[BaseModel]] = {
    "lead.submitted": SubmittedLead,
    "lead.pending": LeadPending,
    "lead.enriched": LeadEnriched,
    "lead.scored": LeadScored,
    "lead.decided": Decision,
    "activity.reported": ActivityReported,
    "activity.bound": ActivityBound,
    "rep.put": Rep,
    "rep.changed": RepChanged,
    "account.put": Account,
    "policy.body": PolicyBody,
    "policy.pointer": PolicyPointer,
    "policy.activated": PolicyActivated,
    "notice.settled": NoticeSettled,
    "delivery.settled": DeliverySettled,
    "digest.item": DigestItem,
    "delivery.resend": Resend,
    "decisions.journalled": DecisionsJournalled,
    "timer.armed": TimerArmed,
    "wake.up": WakeUp,
    "xref.put": Xref,
    "suppression.put": Suppression,
    "device.put": Device,
    "bookmark.put": Bookmark,
    "record.dead_lettered": DeadLettered,
}

# Raised with each incompatible change of a type. A reader that meets a newer one than it knows must not guess.
VERSIONS: dict[str, int] = dict.fromkeys(MODELS, 1) | {"activity.bound": 2}


class NewerSchema(Exception):
    """A record is of a newer schema version than this build knows: a rolling deploy is under way, or upstream moved."""

    def __init__(self, event_type: str, version: int) -> None:
        super().__init__(f"{event_type} version {version} is newer than {VERSIONS.get(event_type, 0)}")
        self.event_type = event_type
        self.version = version


def _raw_lead(value: bytes) -> RawLead:
    fields = orjson.loads(value)
    if not isinstance(fields, dict):
        raise Poison(f"a lead is a JSON object, this is a {type(fields).__name__}")
    return RawLead(fields)


Parser = Callable[[bytes], Any]
"""From JSON to a model; raises ValidationError or JSONDecodeError."""

_PARSERS: dict[str, Parser] = {
    **{name: model.model_validate_json for name, model in MODELS.items()},
    "lead.submitted": _raw_lead,
    "lead.decided": decision_read,
}


def decode(event_type: str, version: int, value: bytes | None, parser: Parser | None = None) -> Any:
    """Return the model of `value`. A tombstone (None) decodes to None.

    parser: of a reader that wants less of the type than the whole.
    Raises NewerSchema, or Poison with a reason that names fields and problems but never values.
    """
    if value is None:
        return None
    parser = parser or _PARSERS.get(event_type)
    if parser is None:
        raise Poison(f"unknown event type {event_type[:60]!r}")
    if version > VERSIONS[event_type]:
        raise NewerSchema(event_type, version)
    if not value.strip():
        raise Poison("the value is empty")
    try:
        return parser(value)
    except ValidationError as error:
        raise Poison(_problems(error)) from error
    except (orjson.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Poison(f"not JSON: {getattr(error, 'msg', type(error).__name__)}") from error


def _problems(error: ValidationError) -> str:
    rows = error.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(str(part)[:40] for part in row['loc']) or 'value'}: {row['msg'][:120]}" for row in rows[:5]]
    return "; ".join(said) + (f" (+{len(rows) - 5} more)" if len(rows) > 5 else "")


def encode(value: Any) -> bytes | None:
    """Return JSON bytes of a model, a dataclass or plain data; None stays None (a tombstone)."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, Decision):
        return decision_json(value)
    if isinstance(value, BaseModel):
        return value.__pydantic_serializer__.to_json(value, exclude_none=True)
    return orjson.dumps(value, plain, orjson.OPT_UTC_Z)


def timer_json(wake: Wake, armed_at: datetime) -> bytes:
    """Return the JSON of the `TimerArmed` that a wake-up asks for, straight from it: one a lead."""
    row = {
        "due_at": wake.due_at,
        "topic": wake.topic,
        "to_key": wake.to_key,
        "data": dict(wake.data),
        "armed_at": armed_at,
    }
    return orjson.dumps(row, option=orjson.OPT_UTC_Z)


def headers_for(
    event_id: str, event_type: str, source: str, at: datetime, extra: Mapping[str, str]
) -> list[tuple[str, bytes]]:
    """Return the CloudEvents headers of a record. source: "leadstream/<stage>"; at: UTC; extra: traceparent."""
    rows = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("ce_schemaversion", str(VERSIONS.get(event_type, 1)).encode()),
        ("content-type", b"application/json"),
    ]
    rows.extend((name, value.encode()) for name, value in extra.items())
    return rows


def schema_version(headers: Mapping[str, str]) -> int:
    """Return the schema version that the headers state, 1 by default. Raises Poison where it is no number."""
    return said_version(headers.get("ce_schemaversion", "1"))


def said_version(said: str) -> int:
    """Return the schema version that a header's text states. Raises Poison where it is no number, or one of ten digits
    and more: Python refuses to read those of thousands."""
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise Poison("ce_schemaversion is no number")
    return int(said)
