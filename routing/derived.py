"""Conditions over what is known of a lead before it is graded: segment, tier, intent and fit spelt out.

So that lint and diff see that `segment == "enterprise"` and `company.employees < 500` exclude each other.
"""

from dataclasses import dataclass

from routing.expression import And, Comparison, Node, Not, Op, Opaque, Or
from routing.policy import Policy
from schemas.policy_file import Treatment

KNOWN_REP = Comparison("lead.recycled_rep_known", Op.TRUE, None, "lead.recycled_rep_known")


@dataclass(frozen=True, slots=True)
class Sure:
    """Whether `part` holds, an unknown counting as no: as grading has it."""

    part: "Basic"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Basic", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Basic", ...]


@dataclass(frozen=True, slots=True)
class Neither:
    part: "Basic"


Basic = Comparison | Opaque | Sure | All | AnyOf | Neither
"""A condition over ungraded facts."""


def basic(policy: Policy, node: Node) -> Basic:
    """Return the condition with everything that the policy derives spelt out."""
    if isinstance(node, And):
        return All(tuple(basic(policy, part) for part in node.parts))
    if isinstance(node, Or):
        return AnyOf(tuple(basic(policy, part) for part in node.parts))
    if isinstance(node, Not):
        return Neither(basic(policy, node.part))
    if isinstance(node, Opaque):
        return node
    return _spelt(policy, node)


def _spelt(policy: Policy, test: Comparison) -> Basic:
    if test.op is Op.NOT_EQUAL and test.field in ("segment", "tier", "intent", "treatment"):
        return Neither(_spelt(policy, Comparison(test.field, Op.EQUAL, test.expected, test.text)))
    words = test.expected if isinstance(test.expected, tuple) else (test.expected,)
    if test.field == "segment":
        if test.op is Op.KNOWN:
            return Comparison("company.employees", Op.KNOWN, None, test.text)
        return AnyOf(tuple(_band(policy, str(word)) for word in words))
    if test.field == "tier":
        return AnyOf(tuple(_tier(policy, str(word)) for word in words))
    if test.field == "intent":
        return AnyOf(tuple(_intent(policy, str(word)) for word in words))
    if test.field == "treatment":
        return AnyOf(tuple(_treatment(policy, str(word)) for word in words))
    if test.field == "icp":
        return Sure(basic(policy, policy.icp.node)) if policy.icp else AnyOf(())
    if test.field == "lead.recycled":
        recent = Comparison("lead.disqualified_days", Op.LESS, policy.file.recycling.days, test.text)
        return Sure(All((recent, KNOWN_REP)))
    return test


def _band(policy: Policy, name: str) -> Basic:
    above: int | None = None
    for band in policy.bands:
        if band.name == name:
            low = Comparison("company.employees", Op.AT_LEAST, band.start, name)
            if above is None:
                return low
            return All((low, Comparison("company.employees", Op.LESS, above, name)))
        above = band.start
    return AnyOf(())


def _tier(policy: Policy, name: str) -> Basic:
    before: list[Basic] = []
    for tier in policy.tiers:
        own = Sure(basic(policy, tier.condition.node)) if tier.condition else All(())
        if tier.name == name:
            return All((*before, own))
        before.append(Neither(own))
    return AnyOf(())


def _intent(policy: Policy, name: str) -> Basic:
    shown = [action for action, intent in sorted(policy.intents.items()) if intent == name]
    own = Sure(Comparison("lead.action", Op.IN, tuple(shown), name))
    if name != policy.file.intent_default:
        return own
    every = Sure(Comparison("lead.action", Op.IN, tuple(sorted(policy.intents)), name))
    return AnyOf((own, Neither(every)))


def _treatment(policy: Policy, name: str) -> Basic:
    nurtured = [
        All((_tier(policy, tier), Sure(_band(policy, segment))))
        for tier, said in policy.file.tiers.items()
        for segment, how in said.treatment.items()
        if how is Treatment.NURTURE
    ]
    return AnyOf(tuple(nurtured)) if name == Treatment.NURTURE.value else Neither(AnyOf(tuple(nurtured)))
