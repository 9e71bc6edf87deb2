"""A lead typed in and decided with no effect (GOV-7): what would become of it now, with today's loads and turns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from routing.catalogue import FactKind, kind_of
from routing.counterfactual import by_lead, by_rep, said
from routing.decide import DecisionInput, decide
from routing.lint_words import READ, refusal
from routing.policy import Policy
from routing.policy_errors import meant
from routing.replay import Memory
from routing.scoring import judged
from schemas.decided import Decided
from schemas.decision import Decision
from schemas.ids import lead_id
from schemas.lead import AccountRef, Company, Lead, LeadScored, MailFacts, MailKind
from schemas.rep import Rep, RepChanged

PERSON = "preview"  # no human has it: their keys are 32 hex digits
_GROUPS: dict[str, type[BaseModel]] = {"lead": Lead, "company": Company, "mail": MailFacts, "account": AccountRef}
_OURS = {"event_id", "person", "submitted_at", "received_at", "mail", "company", "account", "facts", "answers"}


class FactUnknown(ValueError):
    """A typed fact is none that a lead can be given, or has no such value. The message says which are."""


@dataclass(frozen=True, slots=True)
class Preview:
    """decisions: on the lead, the first one where it goes. otherwise: sentences on what would have changed that."""

    decisions: tuple[Decision, ...]
    otherwise: tuple[str, ...]


def typed_lead(facts: Mapping[str, Any], now: datetime) -> Lead:
    """Return a lead submitted at `now` with these facts by dotted name. Raises FactUnknown.

    What is not given is unknown; an address of a business is taken for granted.
    """
    groups: dict[str, dict[str, Any]] = {name: {} for name in (*_GROUPS, "answers")}
    for name, value in facts.items():
        group, _, field = name.partition(".")
        if not field or group not in groups or (group in _GROUPS and field not in _settable(group)):
            near = meant(name, _names()).replace(" Did", "; did").rstrip("?")
            raise FactUnknown(
                f"{name} is no fact that a lead can be given{near or '; there are ' + ', '.join(_names())}"
            )
        wrong = None if name in READ else refusal(name, value)
        if wrong is not None:
            raise FactUnknown(" ".join(wrong).rstrip("."))
        groups[group][field] = value
    about = groups.pop("lead")
    if groups["account"]:
        groups["account"].setdefault("domain", groups["company"].get("domain", "account.example"))
    groups["mail"].setdefault("kind", MailKind.BUSINESS)
    account = groups.pop("account") or None
    fixed = {"event_id": PERSON, "person": PERSON, "submitted_at": now, "received_at": now}
    try:
        return Lead.model_validate({**about, **groups, "account": account, **fixed})
    except ValidationError as error:
        row = error.errors(include_url=False)[0]
        name = ".".join(map(str, row["loc"])) if row["loc"][0] in groups else f"lead.{row['loc'][0]}"
        kind = kind_of(name)
        what = f"{row['input']!r} is no {kind.value}" if kind in (FactKind.NUMBER, FactKind.YES_NO) else row["msg"]
        raise FactUnknown(f"{name}: {what}") from error


def empty_division(policy: Policy, roster: Iterable[Rep], now: datetime) -> Memory:
    """Return the state of a division that has this policy and roster and no lead yet."""
    state, name = Memory(), policy.file.division
    for rep in roster:
        if rep.division == name:
            change = RepChanged(rep_id=rep.id, division=name, rep=rep, at=now)
            state.fold(decide(state, DecisionInput(f"preview/{rep.id}", change), policy, now))
    return state


def preview(state: Memory, policy: Policy, lead: Lead, now: datetime) -> Preview:
    """Return what the policy's division would decide on the lead at `now`. The state is not changed."""
    now = now.astimezone(UTC)
    event = DecisionInput("preview", _scored(policy, lead, now))
    effects = decide(state, event, policy, now)
    made = tuple(one.value for one in effects if isinstance(one, Decided))
    changes = (search(state, event, policy, now) for search in (by_lead, by_rep))
    return Preview(made, tuple(said(one) for one in changes if one is not None))


def _scored(policy: Policy, lead: Lead, now: datetime) -> LeadScored:
    graded, score = judged(policy, lead)
    division = policy.file.division
    return LeadScored(
        lead_id=lead_id(division, PERSON, 1),
        division=division,
        lead=lead,
        touch=1,
        intent=graded.intent,
        icp=graded.icp,
        segment=graded.segment,
        tier=graded.tier,
        score=score.total,
        score_parts=dict(score.parts),
        score_model=score.model,
        policy_hash=policy.hash,
        scored_at=now,
    )


def _settable(group: str) -> Sequence[str]:
    return [name for name in _GROUPS[group].model_fields if name not in _OURS]


def _names() -> list[str]:
    return [f"{group}.{name}" for group in _GROUPS for name in _settable(group)] + ["answers.NAME"]
