"""Files of rows that people write, a roster or a list of accounts, as text: each row checked, each error with its line.

Read as policies are, so that `NO` stays Norway and 18:00 a time of day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from routing.finding import Finding, Severity, Where, in_order
from routing.policy_errors import form_findings
from routing.policy_yaml import Document, Path, Unreadable, read

LARGEST_BYTES = 64 << 20
MOST_NODES = 5_000_000

Row = TypeVar("Row", bound=BaseModel)


class RowsInvalid(Exception):
    """Some rows cannot be used; the findings say line, column, what is wrong and what is allowed."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """The rows of a file. base: the path of the list in the document."""

    rows: tuple[Row, ...]
    document: Document
    base: Path

    def located(self, finding: Finding, key: str) -> Finding:
        """Return a finding about the roster, such as one at `roster.C1.backups`, with its line. key: of a row's id."""
        parts = finding.where.path.split(".")
        if parts[0] != "roster":
            return finding
        at = next((at for at, row in enumerate(self.rows) if str(getattr(row, key)) == parts[1]), None)
        if at is None:
            return finding
        spot = self.document.where((*self.base, at, *parts[2:]))
        where = Where(spot.line, spot.column, finding.where.path)
        return Finding(finding.severity, finding.code, where, finding.what, finding.allowed)


def read_rows(text: str, model: type[Row], section: str, key: str) -> Rows[Row]:
    """Return the rows of a YAML or JSON text: a list, or a mapping with the list under `section`.

    key: the field that tells rows apart; a value that stands twice is an error. Raises RowsInvalid with every error.
    """
    try:
        document = read(text, LARGEST_BYTES, MOST_NODES)
    except Unreadable as error:
        raise RowsInvalid((error.finding,)) from error
    base, entries = _entries(document, section)
    rows: list[Row] = []
    findings: list[Finding] = []
    for at, entry in enumerate(entries):
        try:
            rows.append(model.model_validate(entry))
        except ValidationError as error:
            findings += form_findings(error, document, model, (*base, at))
    findings += _repeated(document, base, entries, key)
    if findings:
        raise RowsInvalid(in_order(findings))
    return Rows(tuple(rows), document, base)


def _entries(document: Document, section: str) -> tuple[Path, Sequence[Any]]:
    data: Any = document.data
    base: Path = ()
    if isinstance(data, Mapping):
        unknown = [name for name in data if name != section]
        if unknown:
            what = f"{unknown[0]!r} is not known here."
            allowed = f"The file is a list, or a mapping with the one key {section}."
            raise RowsInvalid(
                (Finding(Severity.ERROR, "file.unknown_key", document.where((unknown[0],)), what, allowed),)
            )
        data, base = data.get(section), (section,)
    if not isinstance(data, list) or not data:
        what = f"the file holds no {section}."
        allowed = f"Write a list of them, or a mapping with the key {section}."
        raise RowsInvalid((Finding(Severity.ERROR, "file.empty", Where(1, 1), what, allowed),))
    return base, data


def _repeated(document: Document, base: Path, entries: Sequence[Any], key: str) -> list[Finding]:
    seen: dict[str, int] = {}
    findings = []
    for at, entry in enumerate(entries):
        name = entry.get(key) if isinstance(entry, Mapping) else None
        if name is None:
            continue
        if str(name) in seen:
            first = document.where((*base, seen[str(name)], key)).line
            what = f"the {key} {name!r} stands twice, first on line {first}."
            here = document.where((*base, at, key))
            findings.append(Finding(Severity.ERROR, "row.repeated", here, what, "Give each their own, or keep one."))
        seen.setdefault(str(name), at)
    return findings
