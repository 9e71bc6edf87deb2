"""The rule score, 0 to 100: fit, intent and behaviour, each up to its ceiling (SCO-1)."""

from dataclasses import dataclass

from routing.conditions import context_of, evaluate
from routing.facts import lead_facts
from routing.policy import Policy
from routing.tiers import Grade
from schemas.lead import Lead
from schemas.policy_file import ScorePart

HIGHEST = 100
PARTS: tuple[ScorePart, ...] = ("fit", "intent", "behaviour")


@dataclass(frozen=True, slots=True)
class Score:
    """total: 0 to 100, the sum of parts. model: the version that the policy names."""

    total: int
    parts: dict[str, int]
    model: str


def score(policy: Policy, lead: Lead, grade: Grade) -> Score:
    """Return the score of a lead. A part never falls below zero; the parts together stay within 100."""
    scoring = policy.file.scoring
    points: dict[ScorePart, int] = {
        "fit": scoring.icp if grade.icp else 0,
        "intent": next((worth for name, worth in scoring.intent.items() if name == grade.intent), 0),
        "behaviour": 0,
    }
    facts = {**lead_facts(lead), "intent": grade.intent, "icp": grade.icp, "tier": grade.tier}
    if grade.segment is not None:
        facts["segment"] = grade.segment
    context = context_of(facts, policy.grading)
    for rule in scoring.points:
        if evaluate(policy.conditions[rule.when], context).matched:
            points[rule.part] += rule.points
    parts: dict[str, int] = {}
    room = HIGHEST
    for part in PARTS:
        parts[part] = min(max(points[part], 0), scoring.ceilings.get(part, HIGHEST), room)
        room -= parts[part]
    return Score(HIGHEST - room, parts, scoring.model)
