"""One lead's story for the page: what `leadstream lead explain` tells, with names for ids and the viewer's times."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from routing.explain import story
from schemas.decision import Decision, DecisionKind
from streams.rep_names import named

_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d) (?:at )?(\d\d:\d\d:\d\d)\b")
_TIMES = re.compile(r"\b(\d+(?:\.\d+)?)x after the clock started")
_TIMES_IN_WORDS = {"0.5": "half the time allowed", "1": "the time allowed", "2": "twice the time allowed"}
_LATE = frozenset({DecisionKind.ESCALATED, DecisionKind.REASSIGNED})


@dataclass(frozen=True, slots=True)
class Chapter:
    """One decision. says: what happened and why, a sentence or two. details: rules, candidates, notices, clocks."""

    at: datetime
    says: str
    details: Sequence[str]
    is_late: bool


def chapters(decisions: Sequence[Decision], names: Mapping[str, str], zone: ZoneInfo) -> list[Chapter]:
    """Return a chapter a decision, in order. names: rep id -> name."""
    if not decisions:
        return []
    paragraphs = story(decisions).strip().split("\n\n")[1:]
    rows = []
    for decision, paragraph in zip(decisions, paragraphs, strict=True):
        first, *details = paragraph.split("\n    ")
        says = first.split("  ", 1)[1]
        late = decision.kind in _LATE and decision.sla is not None and decision.sla.contacted_at is None
        told = [readable(line, names, zone) for line in details]
        rows.append(Chapter(decision.at, readable(says, names, zone), told, late))
    return rows


def readable(text: str, names: Mapping[str, str], zone: ZoneInfo) -> str:
    """Return a line with names for rep ids, its UTC instants in `zone`, and a policy's "2x" in words."""

    def local(match: re.Match[str]) -> str:
        at = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC).astimezone(zone)
        return f"{at:%H:%M:%S} on {at.day} {at:%b}"

    def allowed(match: re.Match[str]) -> str:
        return f"within {_TIMES_IN_WORDS.get(match[1], f'{match[1]} times the time allowed')}"

    return named(_INSTANT.sub(local, _TIMES.sub(allowed, text)), names)
