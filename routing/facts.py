"""What conditions may ask about a lead: nested variables, unknown values left out, nothing personal."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from routing.calendar.business_time import is_open
from routing.catalogue import WEEKDAYS
from routing.expression import Fact
from routing.policy import Policy, once_a_policy
from routing.rulebook import value_of
from schemas.lead import Company, Lead, LeadScored
from schemas.policy_file import Treatment

_LEAD = (
    *("source", "channel", "campaign", "form", "action", "phone_country", "seniority", "department", "language"),
    *("timezone", "division", "product_interest", "service_type", "has_phone", "bot_qualified", "has_consent"),
    "is_bulk",
)
_COMPANY = tuple(name for name in Company.model_fields if name != "technologies")
_ACCOUNT = ("domain", "name", "owner", "opportunity_owner", "is_named", "is_customer", "has_open_opportunity")
_OF_LEAD, _OF_COMPANY, _OF_ACCOUNT = attrgetter(*_LEAD), attrgetter(*_COMPANY), attrgetter(*_ACCOUNT)


def lead_facts(lead: Lead) -> dict[str, Any]:
    """Return what the canonical lead itself tells: for ICP, segment and tier. Groups are there even if empty."""
    about = _known(_LEAD, _OF_LEAD(lead))
    about["behaviour"] = list(lead.behaviour)
    about["flags"] = list(lead.flags)
    about["is_suspect"] = bool(lead.suspect)
    company = _known(_COMPANY, _OF_COMPANY(lead.company))
    company["technologies"] = list(lead.company.technologies)
    mail: dict[str, Any] = {"kind": lead.mail.kind.value, "is_role": lead.mail.is_role}
    if lead.mail.domain is not None:
        mail["domain"] = lead.mail.domain
    account: dict[str, Any] = {}
    if lead.account is not None:
        account = {**_known(_ACCOUNT, _OF_ACCOUNT(lead.account)), "match": lead.account.match.value}
    return {"lead": about, "company": company, "mail": mail, "account": account, "answers": dict(lead.answers)}


def reader_of(name: str) -> Callable[[Lead], Any]:
    """Return what reads one fact of `lead_facts` by dotted name: None where it is unknown, a tuple for a list."""
    group, _, inner = name.partition(".")
    if group == "lead" and inner in (*_LEAD, "behaviour", "flags"):
        return attrgetter(inner)
    if group == "company" and inner in (*_COMPANY, "technologies"):
        return attrgetter(name)
    if name == "mail.kind":
        return lambda lead: lead.mail.kind.value
    if group == "answers" and inner:
        return lambda lead: lead.answers.get(inner)

    def read(lead: Lead) -> Any:
        return lead_facts(lead).get(group, {}).get(inner)

    return read


class LeadFacts(Mapping[str, Any]):
    """All that rules may ask: the lead's own facts, its grade and score, its past, and the policy's clock. Nested.

    now: aware; weekday, hour, time_of_day and date are its wall time in the policy's zone. They are worked out when
    somebody asks for them; what the rules ask is read straight from the lead.
    """

    def __init__(self, scored: LeadScored, now: datetime, policy: Policy) -> None:
        self.scored = scored
        self.now = now
        self.policy = policy

    @cached_property
    def known(self) -> dict[str, Any]:
        """All of them."""
        return _known_facts(self.scored, self.now, self.policy)

    def asked(self) -> list[Any]:
        """Return the values of what the policy's rules ask, `Rulebook.fields`; None where it is unknown."""
        return [read(self) for read in _readers(self.policy)]

    def __getitem__(self, name: str) -> Any:
        return self.known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def _known_facts(scored: LeadScored, now: datetime, policy: Policy) -> dict[str, Any]:
    known = lead_facts(scored.lead)
    zone = ZoneInfo(policy.file.timezone)
    known["lead"].update(_past(scored, policy, zone))
    known |= {"intent": scored.intent, "icp": scored.icp, "tier": scored.tier, "score": scored.score}
    if scored.segment is not None:
        known["segment"] = scored.segment
    known["treatment"] = treatment(policy, scored.tier, scored.segment)
    local = now.astimezone(zone)
    known["weekday"] = WEEKDAYS[local.weekday()]
    known["hour"] = local.hour
    known["time_of_day"] = f"{local.hour:02}:{local.minute:02}"
    known["date"] = local.date().isoformat()
    known["calendar"] = {name: is_open(calendar, now) for name, calendar in policy.asked_calendars}
    return known


def _of_account(name: str) -> Callable[[LeadFacts], Any]:
    read = attrgetter(name)

    def of_account(facts: LeadFacts) -> Any:
        account = facts.scored.lead.account
        return None if account is None else read(account)

    return of_account


# What is read straight from the lead: each asked by many rules, for each lead.
_READERS: dict[str, Callable[[LeadFacts], Any]] = {
    **{f"lead.{name}": attrgetter(f"scored.lead.{name}") for name in _LEAD},
    **{f"company.{name}": attrgetter(f"scored.lead.company.{name}") for name in _COMPANY},
    **{f"account.{name}": _of_account(name) for name in _ACCOUNT},
    **{name: attrgetter(f"scored.{name}") for name in ("intent", "icp", "tier", "score", "segment")},
    "mail.kind": lambda facts: str(facts.scored.lead.mail.kind),
    "mail.domain": attrgetter("scored.lead.mail.domain"),
    "mail.is_role": attrgetter("scored.lead.mail.is_role"),
    "lead.is_suspect": lambda facts: bool(facts.scored.lead.suspect),
    "lead.open_duplicate": lambda facts: facts.scored.duplicate is not None,
    "lead.touch": attrgetter("scored.touch"),
    "lead.history": attrgetter("scored.history"),
    "lead.recycled": lambda facts: facts.scored.disqualified is not None and facts["lead"]["recycled"],
    "treatment": lambda facts: treatment(facts.policy, facts.scored.tier, facts.scored.segment),
}


@once_a_policy
def _readers(policy: Policy) -> tuple[Callable[[LeadFacts], Any], ...]:
    return tuple(_READERS.get(name) or _worked_out(name) for name in policy.rulebook.fields)


def _worked_out(name: str) -> Callable[[LeadFacts], Any]:
    group, _, inner = name.partition(".")
    return lambda facts: value_of(facts, group, inner)


def treatment(policy: Policy, tier: str, segment: str | None) -> str:
    """Return "assign" or "nurture", as the tier treats the segment."""
    said = policy.file.tiers.get(tier)
    if said is None or segment is None:
        return Treatment.ASSIGN.value
    return str(said.treatment.get(segment, Treatment.ASSIGN))


def flat(facts: Mapping[str, Any]) -> dict[str, Fact]:
    """Return nested facts by dotted name; lists become tuples."""
    by_name: dict[str, Fact] = {}
    for name, value in facts.items():
        if isinstance(value, dict):
            for inner, each in value.items():
                by_name[f"{name}.{inner}"] = tuple(each) if isinstance(each, list) else each
        else:
            by_name[name] = tuple(value) if isinstance(value, list) else value
    return by_name


def nested(facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Return facts by dotted name as nested variables, every group present."""
    groups: dict[str, Any] = {"lead": {}, "company": {}, "mail": {}, "account": {}, "answers": {}, "calendar": {}}
    for name, value in facts.items():
        plain = list(value) if isinstance(value, tuple) else value
        group, _, inner = name.partition(".")
        if inner:
            groups.setdefault(group, {})[inner] = plain
        else:
            groups[group] = plain
    return groups


def _past(scored: LeadScored, policy: Policy, zone: ZoneInfo) -> dict[str, Any]:
    past: dict[str, Any] = {
        "open_duplicate": scored.duplicate is not None,
        "touch": scored.touch,
        "history": scored.history,
        "recycled": False,
    }
    gone = scored.disqualified
    if gone is not None:
        came = scored.lead.submitted_at.astimezone(zone).date()
        days = (came - gone.at.astimezone(zone).date()).days
        past["disqualified_days"] = days
        past["recycled"] = gone.rep is not None and days < policy.file.recycling.days
    return past


def _known(names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}
