"""What would have chosen otherwise (NEW-5): the smallest change of the lead or of a rep, verified by deciding again.

The search runs over the policy's own boundary values: between two of them no condition can tell leads apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from routing.decide import DecisionInput, decide
from routing.expression import Comparison, Op, leaves
from routing.policy import Policy
from routing.rep_state import POINT, RepState, rep_key
from routing.scoring import judged
from schemas.decided import Decided
from schemas.decision import Decision, Owner
from schemas.lead import Lead, LeadScored, MailKind
from schemas.region import region_of
from schemas.state import StateView

MOST_REPS = 20  # of the candidates, so many are tried

_COMPANY = ("employees", "industry", "country", "state")
_UNKNOWN_COSTS = 1.5  # a fact taken away is a larger change than another value

_LEAP = 1.25  # a number that doubles is as far as another word; further than that, it is another company
_SOMEBODY_ELSE = 2.0  # another address or account is told only where no fact of the company or the action counts


@dataclass(frozen=True, slots=True)
class Otherwise:
    """One change with its outcome. what: plain words, "employees 1000 instead of 600". field: fact, "load" or "status".

    size: smaller is nearer; within lead or rep only. rule, owner: who would have had the lead, and by which rule.
    """

    what: str
    field: str
    size: float
    rule: str | None
    owner: Owner


class Changed:
    """A state with some values replaced. A `StateView`."""

    def __init__(self, state: StateView, values: dict[str, Any]) -> None:
        self._state = state
        self._values = values

    def get(self, key: str) -> Any | None:
        return self._values[key] if key in self._values else self._state.get(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        for key, value in self._state.scan(prefix):
            yield key, self._values.get(key, value)


def by_lead(state: StateView, event: DecisionInput, policy: Policy, now: datetime) -> Otherwise | None:
    """Return the smallest change of the lead's facts that gives it to somebody else; None where none does.

    state: as it was before the event; event: the scored lead that was decided, at `now`.
    """
    scored = event.value
    if not isinstance(scored, LeadScored):
        return None
    base = _outcome(state, event, policy, now)
    for size, what, field, lead in lead_changes(policy, scored.lead):
        found = _outcome(state, DecisionInput(event.id, regraded(policy, scored, lead)), policy, now)
        if base is not None and found is not None and found.owner != base.owner:
            return Otherwise(what, field, size, found.rule, found.owner)
    return None


def by_rep(state: StateView, event: DecisionInput, policy: Policy, now: datetime) -> Otherwise | None:
    """Return the smallest change of a rep that gives the lead to somebody else: less load of another, else absence."""
    base = _outcome(state, event, policy, now)
    if base is None or base.owner.id is None:
        return None
    found = [each for rep in _others(base) if (each := _by_load(state, event, policy, now, base, rep)) is not None]
    if found:
        return min(found, key=lambda each: (each.size, each.what))
    key = rep_key(base.division, base.owner.id)
    rep = state.get(key)
    if not isinstance(rep, RepState) or rep.row is None:
        return None
    away = replace(rep, row=replace(rep.row, status="away"))
    other = _outcome(Changed(state, {key: away}), event, policy, now)
    if other is None or other.owner == base.owner:
        return None
    return Otherwise(f"{rep.id} away", "status", float("inf"), other.rule, other.owner)


def lead_changes(policy: Policy, lead: Lead) -> list[tuple[float, str, str, Lead]]:
    """Return the lead with one fact changed, for each boundary value of the policy: (size, words, fact, lead).

    What follows from a fact changes with it: a country's region, and its state, which lay in the one before.
    """
    changes: list[tuple[float, str, str, Lead]] = []
    for name in _COMPANY:
        before = getattr(lead.company, name)
        others = [value for value in _values(policy, f"company.{name}") if value != before]
        changes += [(_size(before, value), *_changed_company(lead, name, value)) for value in others]
    for action in (*policy.intents, *_values(policy, "lead.action")):
        if action is not None and action != lead.action:
            changed = lead.model_copy(update={"action": action})
            changes.append((1.0, _words("action", lead.action, action), "lead.action", changed))
    changes += _other_changes(policy, lead)
    return sorted(changes, key=lambda row: (row[0], row[1]))


def _changed_company(lead: Lead, name: str, value: Any) -> tuple[str, str, Lead]:
    update = {name: value}
    if name == "country":
        update |= {"region": region_of(value) if value else None, "state": None}
    company = lead.company.model_copy(update=update)
    words = _words(name, getattr(lead.company, name), value)
    return words, f"company.{name}", lead.model_copy(update={"company": company})


def _other_changes(policy: Policy, lead: Lead) -> Iterator[tuple[float, str, str, Lead]]:
    """The address, where the policy asks of what kind it is, and the account."""
    kinds = (MailKind.BUSINESS, MailKind.PERSONAL) if MailKind.PERSONAL in _values(policy, "mail.kind") else ()
    for kind in kinds:
        if kind is not lead.mail.kind:
            changed = lead.model_copy(update={"mail": lead.mail.model_copy(update={"kind": kind})})
            words = f"a {kind.value} address instead of a {lead.mail.kind.value} one"
            yield _SOMEBODY_ELSE, words, "mail.kind", changed
    if lead.account is not None:
        words = f"no account instead of {lead.account.domain}"
        yield _SOMEBODY_ELSE, words, "account", lead.model_copy(update={"account": None})


def regraded(policy: Policy, scored: LeadScored, lead: Lead) -> LeadScored:
    """Return the scored lead as it would have been with these facts."""
    graded, score = judged(policy, lead)
    changes = {"lead": lead, "intent": graded.intent, "icp": graded.icp, "segment": graded.segment}
    return scored.model_copy(update={**changes, "tier": graded.tier, "score": score.total})


def said(otherwise: Otherwise) -> str:
    """Return one plain sentence."""
    who = otherwise.owner.id or otherwise.owner.queue
    rule = f' by rule "{otherwise.rule}"' if otherwise.rule else ""
    gone = f"gone to {who}{rule}" if who else f"been nobody's{rule}"
    return f"With {otherwise.what} it would have {gone}."


def _by_load(
    state: StateView, event: DecisionInput, policy: Policy, now: datetime, base: Decision, rep_id: str
) -> Otherwise | None:
    """The least load that the rep would have to be without, in halves of a point, by bisection."""
    key = rep_key(base.division, rep_id)
    rep = state.get(key)
    if not isinstance(rep, RepState):
        return None

    def chosen(halves: int) -> Decision | None:
        lighter = replace(rep, load=rep.load - halves * POINT // 2)
        found = _outcome(Changed(state, {key: lighter}), event, policy, now)
        return found if found is not None and found.owner.id == rep_id else None

    least, most = 1, rep.load * 2 // POINT
    found = chosen(most) if most >= least else None
    if found is None:
        return None
    while least < most:
        middle = (least + most) // 2
        lighter = chosen(middle)
        if lighter is None:
            least = middle + 1
        else:
            most, found = middle, lighter
    size = "1 point" if most == 2 else f"{most / 2:g} points"
    return Otherwise(f"{size} less on {rep_id}", "load", most, found.rule, found.owner)


def _others(decision: Decision) -> list[str]:
    rows = [row["rep"] for pool in decision.trace.get("pools", ()) for row in pool["candidates"]]
    return [rep for rep in rows if rep != decision.owner.id][:MOST_REPS]


def _outcome(state: StateView, event: DecisionInput, policy: Policy, now: datetime) -> Decision | None:
    """Return where the event leaves its lead; an event may decide on others too, and on one more than once."""
    lead = event.value.lead_id if isinstance(event.value, LeadScored) else None
    made = [one for one in decide(state, event, policy, now) if isinstance(one, Decided) and one.lead_id == lead]
    return made[-1].value if made else None


def _values(policy: Policy, field: str) -> list[Any]:
    """The values that the policy tells apart for a fact, each boundary with its two neighbours, and "unknown"."""
    values: dict[Any, None] = {None: None}
    if field == "company.employees":
        for band in policy.bands:
            values |= dict.fromkeys(at for at in (band.start, band.start - 1) if at >= 0)
    for condition in policy.conditions.values():
        for leaf in leaves(condition.node):
            if isinstance(leaf, Comparison) and leaf.field == field and leaf.op is not Op.KNOWN:
                values |= dict.fromkeys(_around(leaf.expected))
    return list(values)


def _around(expected: Any) -> tuple[Any, ...]:
    if isinstance(expected, tuple):
        return expected
    return (expected - 1, expected, expected + 1) if type(expected) is int else (expected,)


def _size(before: Any, after: Any) -> float:
    if after is None:
        return _UNKNOWN_COSTS
    if type(before) is int and type(after) is int:
        return min(abs(after - before) / max(min(before, after), 1), _LEAP)
    return 1.0


def _words(name: str, before: Any, after: Any) -> str:
    shown = ["unknown" if value is None else str(value) for value in (after, before)]
    return f"{name} {shown[0]} instead of {shown[1]}"
