"""From a row to a lead for leads.bulk, or the reason why not."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.ids import derived_id
from streams.importer.columns import ColumnMapping, mapping_of
from streams.importer.rows import Row

WAYS_TO_A_LEAD = ("email", "phone", "foreign_id", "company", "website", "linkedin")
_SIZE_MAX_BYTES = 1_000_000
_TRUE = frozenset({"true", "yes", "y", "1", "x", "on", "ja", "oui", "si"})
_FLAGS = ("consent", "is_test")


@dataclass(frozen=True, slots=True)
class Import:
    """What holds for all rows. system: prefix of foreign ids ("salesforce"). defaults: fields a row may lack."""

    mapping: Mapping[str, str]
    system: str
    defaults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImportedLead:
    """A lead ready to publish. event_id: the same for the same row content, whatever file and place it is in."""

    row: int
    event_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is no lead. reason: plain words, without the row's values."""

    row: int
    reason: str


def imported(rows: Iterable[Row], plan: Import) -> Iterator[ImportedLead | RejectedRow]:
    """Yield the lead of each row, or why there is none.

    The n-th row of equal content in one file gets the n-th id of that content: a second import of the file, or of one
    that rows were added to, gives the known rows their ids again.
    """
    seen: Counter[bytes] = Counter()
    by_columns: dict[tuple[str, ...], ColumnMapping] = {}
    for row in rows:
        if row.problem:
            yield RejectedRow(row.number, row.problem)
            continue
        columns = tuple(row.fields)
        if columns not in by_columns and len(by_columns) < 1_000:
            by_columns[columns] = mapping_of(columns, plan.mapping)
        yield _lead(row, by_columns.get(columns) or mapping_of(columns, plan.mapping), plan, seen)


def is_anonymous(columns: Iterable[str], plan: Import) -> bool:
    """Tell whether no row under `columns` can say who the lead is, so that a header line is missing, or a mapping."""
    known = {*mapping_of(columns, plan.mapping).fields.values(), *plan.defaults}
    return known.isdisjoint(WAYS_TO_A_LEAD)


def _lead(row: Row, mapping: ColumnMapping, plan: Import, seen: Counter[bytes]) -> ImportedLead | RejectedRow:
    fields = {"source": "import", **plan.defaults, **_mapped(row.fields, mapping, plan.system)}
    if not any(fields.get(name) for name in WAYS_TO_A_LEAD):
        return RejectedRow(row.number, f"none of {', '.join(WAYS_TO_A_LEAD)} is given")
    try:
        content = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        return RejectedRow(row.number, f"cannot be written as JSON: {error}")
    if len(content) > _SIZE_MAX_BYTES:
        return RejectedRow(row.number, f"longer than {_SIZE_MAX_BYTES} bytes")
    digest = hashlib.sha256(content).digest()
    seen[digest] += 1
    event_id = derived_id(digest.hex(), "import", str(seen[digest]))
    return ImportedLead(row.number, event_id, orjson.dumps({"id": event_id, **fields}))


def _mapped(fields: Mapping[str, Any], mapping: ColumnMapping, system: str) -> dict[str, Any]:
    ours = {mapping.fields[column]: value for column, value in fields.items() if column in mapping.fields}
    if system and "foreign_id" in ours:
        ours["foreign_id"] = f"{system}:{ours['foreign_id']}"
    for name in _FLAGS:
        if isinstance(ours.get(name), str):
            ours[name] = ours[name].casefold() in _TRUE
    return {**ours, **{column: fields[column] for column in mapping.kept if column in fields}}
