"""What the demo sends: leads of real companies, and among them what can happen to a lead. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from schemas.lead import Company
from streams.demo.people import person

LEADS = 210
COMPANIES = 140
ICP_INDUSTRIES = ("saas", "fintech", "healthcare", "manufacturing")
_ACTIONS = (
    "content",
    "demo",
    "newsletter",
    "webinar",
    "contact",
    "trial",
    "content",
    "webinar",
    "newsletter",
    "pricing",
)
_SOURCES = ("web", "web", "ads", "chat", "social", "event")
POISON = b'{"email": "cut.off@'
PERSONAL_ID = "demo-personal"
DUPLICATE_ID = "demo-duplicate"
SILENT_IDS = ("demo-silent-1", "demo-silent-2")


class TooFewCompanies(Exception):
    """The directory has not enough companies of the kinds that the demo shows."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A lead to send. id: its event id. fields: without submitted_at, which is set when it is sent."""

    id: str
    fields: dict[str, Any]

    def value(self, at: datetime) -> bytes:
        """Return the record's value for a lead that was submitted at `at`."""
        return orjson.dumps({**self.fields, "id": self.id, "submitted_at": at.isoformat()})


@dataclass(frozen=True, slots=True)
class Scenario:
    """All leads of the demo.

    silent: two hot leads that nobody calls until they have changed hands. regular: most of them; their hot ones get a
    call. personal: one with a personal address. duplicate: the person of `original` once more.
    """

    silent: tuple[Sent, ...]
    regular: tuple[Sent, ...]
    personal: Sent
    original: Sent
    duplicate: Sent

    @property
    def count(self) -> int:
        return len(self.silent) + len(self.regular) + 3


def scenario(companies: Sequence[Company]) -> Scenario:
    """Return the demo's leads for the directory's `companies`. Raises TooFewCompanies."""
    known = [one for one in companies if one.domain and one.name and one.employees and one.industry and one.country]
    hot = [one for one in known if one.industry in ICP_INDUSTRIES and one.country in ("US", "CA")]
    chosen = _spread(known, COMPANIES)
    if len(chosen) < COMPANIES or len(hot) < 3:
        raise TooFewCompanies
    silent = tuple(_lead(one, 900 + n, "demo", SILENT_IDS[n]) for n, one in enumerate(hot[:2]))
    original = _lead(hot[2], 910, "webinar", "demo-original")
    regular = tuple(
        _lead(chosen[n % COMPANIES], n, _ACTIONS[(n * 7 + n // COMPANIES) % len(_ACTIONS)], f"demo-{n:03}")
        for n in range(LEADS - 5)
    )
    jordan = {"email": "jordan.lee@gmail.com", "name": "Jordan Lee", "action": "demo", "source": "web"}
    personal = Sent(PERSONAL_ID, jordan)
    duplicate = Sent(DUPLICATE_ID, {**original.fields, "action": "content", "source": "chat"})
    return Scenario(silent, regular, personal, original, duplicate)


def _spread(companies: Sequence[Company], count: int) -> list[Company]:
    """Return `count` companies evenly over the list, a third of them small ones, which are rare in it."""
    small = [one for one in companies if (one.employees or 0) < 1_000][: count // 3]
    large = [one for one in companies if (one.employees or 0) >= 1_000]
    wanted = count - len(small)
    step = max(1, len(large) // wanted)
    return sorted(large[::step][:wanted] + small, key=lambda one: one.domain or "")


def _lead(company: Company, number: int, action: str, event_id: str) -> Sent:
    first, last, title = person(number)
    fields = {
        "email": f"{first}.{last}@{company.domain}".lower(),
        "first_name": first,
        "last_name": last,
        "title": title,
        "company": company.name,
        "action": action,
        "source": _SOURCES[number % len(_SOURCES)],
    }
    if number % 9 == 0:
        fields["phone"] = "+49 30 12" if number % 2 else "+1 212 555 0142"  # a broken phone is flagged, no more
    return Sent(event_id, fields)
