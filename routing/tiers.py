"""How urgent a lead is: intent by its action, fit to the ideal customer, segment, and the tier they make (TIER-1)."""

from dataclasses import dataclass

import cel

from routing.conditions import context_of, evaluate
from routing.facts import lead_facts
from routing.policy import Policy
from routing.segments import segment_of
from schemas.lead import Lead


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of a lead. icp: False where the fit is unknown. segment: None where the headcount is unknown."""

    intent: str
    icp: bool
    segment: str | None
    tier: str


def intent_of(policy: Policy, action: str | None) -> str:
    """Return the intent that an action of a form shows."""
    return policy.intents.get(action or "", policy.file.intent_default)


def grade(policy: Policy, lead: Lead) -> Grade:
    """Return intent, fit, segment and tier of a lead."""
    return graded(policy, lead, grading_context(policy, lead))


def grading_context(policy: Policy, lead: Lead) -> cel.Context:
    """Return what the policy's ICP, tiers and scores ask of the lead, all but its grade."""
    return context_of(lead_facts(lead), policy.grading)


def graded(policy: Policy, lead: Lead, context: cel.Context) -> Grade:
    """Return the grade. context: `grading_context` of the lead; the grade is added to it."""
    intent = intent_of(policy, lead.action)
    icp = policy.icp is not None and evaluate(policy.icp, context).matched
    segment = segment_of(policy, lead.company.employees)
    asked = dict(policy.grading)
    for name, value in (("intent", intent), ("icp", icp), ("segment", segment)):
        if name in asked and value is not None:
            context.add_variable(name, value)
    tier = _tier(policy, context)
    if "tier" in asked:
        context.add_variable("tier", tier)
    return Grade(intent, icp, segment, tier)


def _tier(policy: Policy, context: cel.Context) -> str:
    for tier in policy.tiers:
        if tier.condition is None or evaluate(tier.condition, context).matched:
            return tier.name
    raise AssertionError("compile_policy refuses a policy whose last tier has a condition")
