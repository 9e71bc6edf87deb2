"""What is wrong with a policy or a roster, where, and what would be right."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in the file. path: "rules[3].when"; line and column count from 1; 0: no place of its own."""

    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        spot = f"line {self.line}, column {self.column}" if self.line else ""
        return ", ".join(part for part in (spot, self.path) if part) or "the file"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to repair or to look at. code: stable, for machines. allowed: what may stand there instead."""

    severity: Severity
    code: str
    where: Where
    what: str
    allowed: str = ""

    def __str__(self) -> str:
        return f"{self.severity.value} at {self.where}: {self.what}" + (f" {self.allowed}" if self.allowed else "")


def path_text(path: tuple[str | int, ...]) -> str:
    """Return ("rules", 3, "when") as "rules[3].when"; list places count from 0."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings without repeats: errors first, then by place in the file."""
    unique = {(f.severity, f.code, f.where, f.what): f for f in findings}
    return tuple(
        sorted(unique.values(), key=lambda f: (f.severity is Severity.WARNING, f.where.line, f.where, f.code, f.what))
    )
