"""`policy test`: the examples that a policy keeps of itself, run through its own rules."""

from dataclasses import dataclass

from routing.facts import nested
from routing.lead_cells import graded
from routing.policy import Policy
from routing.rules import first_match
from schemas.policy_file import Example, Target


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What became of one example. wrong: one sentence for each thing that differs; empty: as expected."""

    name: str
    rule: str
    to: Target
    tier: str
    segment: str | None
    wrong: tuple[str, ...]


def run_examples(policy: Policy) -> tuple[ExampleResult, ...]:
    """Return each example of the policy with what its rules make of it."""
    return tuple(run_example(policy, example) for example in policy.file.examples)


def run_example(policy: Policy, example: Example) -> ExampleResult:
    """Return what the policy makes of one example. Facts that every lead has are filled in."""
    facts = graded(policy, dict(example.facts))
    match = first_match(policy, nested(facts))
    segment = facts.get("segment")
    got = {"rule": match.rule.name, "to": match.rule.to, "tier": facts["tier"], "segment": segment}
    wrong = [
        f"{key} is {_said(got[key])}, expected {_said(wanted)}"
        for key in ("rule", "to", "tier", "segment")
        if (wanted := getattr(example, key)) is not None and wanted != got[key]
    ]
    named = str(segment) if segment is not None else None
    return ExampleResult(example.name, match.rule.name, match.rule.to, str(facts["tier"]), named, tuple(wrong))


def _said(value: object) -> str:
    for name in ("pool", "queue"):
        if hasattr(value, name):
            return f"{name} {getattr(value, name)}"
    return "unknown" if value is None else str(value)
