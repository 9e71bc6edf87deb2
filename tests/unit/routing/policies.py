"""The shipped policies and plain leads, for the tests of `routing`."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from routing.policy import Policy, compile_policy
from routing.scoring import judged
from schemas.lead import Company, Lead, LeadScored, MailFacts

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)  # Tuesday, 14:14 in New York
SHIPPED = ("starter", "default", "territory-first", "enterprise")
ONE_POOL = """
division: main
timezone: America/Chicago
tiers: {all: {route_within: 1h, contact_within: 1h}}
pools:
  only: {members: {team: mm-southwest, role: ae}, lead: {team: nobody}}
rules:
  - name: all
    to: {pool: only}
    because: it is the only rule
    say: Everything goes to the only pool.
    owner: ops
"""


def text_of(name: str) -> str:
    return files("routing").joinpath("policies", f"{name}.yaml").read_text()


def shipped(name: str = "default") -> Policy:
    """A shipped policy."""
    return compile_policy(text_of(name))


def edited(name: str, *edits: tuple[str, str]) -> Policy:
    """A shipped policy with small edits of its text; each must be found."""
    text = text_of(name)
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return compile_policy(text)


def lead(action: str | None = "demo", mail: str = "business", **company: Any) -> Lead:
    """A lead of a company; US unless said otherwise."""
    known = {"country": "US", "region": "amer"} | company
    return Lead(
        event_id="e1",
        person="p1",
        action=action,
        submitted_at=NOW,
        received_at=NOW,
        mail=MailFacts.model_validate({"domain": "x.example", "kind": mail}),
        company=Company(**known),
    )


def scored(of: Lead, policy: Policy, **more: Any) -> LeadScored:
    """The lead as SCORE passes it on."""
    graded, points = judged(policy, of)
    fields: dict[str, Any] = {
        "lead_id": "main.p1.1",
        "division": "main",
        "lead": of,
        "touch": 1,
        "intent": graded.intent,
        "icp": graded.icp,
        "segment": graded.segment,
        "tier": graded.tier,
        "score": points.total,
        "score_parts": points.parts,
        "score_model": points.model,
        "policy_hash": policy.hash,
        "scored_at": NOW,
    }
    return LeadScored(**(fields | more))
