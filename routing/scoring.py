"""The score, 0 to 100: fit, intent and behaviour, each up to its ceiling, or a predictive model's (SCO-1, SCO-2)."""

from dataclasses import dataclass

import cel

from routing.conditions import evaluate
from routing.policy import Policy
from routing.tiers import Grade, graded, grading_context
from schemas.lead import Lead
from schemas.policy_file import ScorePart

HIGHEST = 100
PARTS: tuple[ScorePart, ...] = ("fit", "intent", "behaviour")


@dataclass(frozen=True, slots=True)
class Score:
    """total: 0 to 100, the sum of parts; a predictive model's has one. model: the version that the policy names."""

    total: int
    parts: dict[str, int]
    model: str


def judged(policy: Policy, lead: Lead) -> tuple[Grade, Score]:
    """Return grade and score of a lead. A part never falls below zero; the parts together stay within 100.

    Both ask one context: to hand the lead's facts over costs more than all conditions.
    """
    context = grading_context(policy, lead)
    grade = graded(policy, lead, context)
    return grade, _predicted(policy, lead) or _score(policy, grade, context)


def _predicted(policy: Policy, lead: Lead) -> Score | None:
    """The score of the policy's predictive model; None where it has none or that gave no number of 0 to 100 (SCO-2)."""
    model = policy.file.scoring.predicted
    if model is None:
        return None
    said = lead.answers.get(model.answer)
    try:
        number = float("nan" if said is None or isinstance(said, bool) else said)
    except ValueError:
        return None
    if not 0 <= number <= HIGHEST:
        return None
    total = round(number)
    return Score(total, {"predicted": total}, model.model)


def _score(policy: Policy, grade: Grade, context: cel.Context) -> Score:
    scoring = policy.file.scoring
    points: dict[ScorePart, int] = {
        "fit": scoring.icp if grade.icp else 0,
        "intent": next((worth for name, worth in scoring.intent.items() if name == grade.intent), 0),
        "behaviour": 0,
    }
    for rule in scoring.points:
        if evaluate(policy.conditions[rule.when], context).matched:
            points[rule.part] += rule.points
    parts: dict[str, int] = {}
    room = HIGHEST
    for part in PARTS:
        parts[part] = min(max(points[part], 0), scoring.ceilings.get(part, HIGHEST), room)
        room -= parts[part]
    return Score(HIGHEST - room, parts, scoring.model)
