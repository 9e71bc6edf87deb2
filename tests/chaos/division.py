"""Divisions to route in: a policy with a short SLA, so that whole ladders run within a test, and a roster."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from routing.policy import compile_policy
from schemas.policy import PolicyBody
from schemas.rep import Rep
from schemas.wire import encode
from streams.cli.policies import activate
from streams.cli.writer import Outgoing, write
from streams.kafka.config import ClusterSettings

DIVISIONS = ("main", "emea")
POLICY_FILE, ORG_FILE = (Path(__file__).with_name(name) for name in ("policy.yaml", "org.yaml"))
LADDER_SECONDS = 6  # contact window of T1; its ladder ends at three times that


def policy_text(division: str, remark: str, window_seconds: int = LADDER_SECONDS) -> str:
    """Return a policy of the division; another remark gives another hash and the same decisions."""
    text = Template(POLICY_FILE.read_text())
    return text.substitute(division=division, remark=remark, window=window_seconds)


def org_text(provider_url: str) -> str:
    """Return the org file. provider_url: of the local provider, slow for some domains, so that PENDING has work."""
    return Template(ORG_FILE.read_text()).substitute(provider_url=provider_url)


def publish(cluster: ClusterSettings, texts: Sequence[str]) -> None:
    """Publish each policy and make its division decide by it."""
    now = datetime.now(UTC)
    for text in texts:
        policy = compile_policy(text)
        body = PolicyBody(
            hash=policy.hash, division=policy.file.division, text=text, published_at=now, published_by="chaos"
        )
        write(cluster, [Outgoing(f"policy/{policy.hash}", "policies", policy.hash, "policy.body", encode(body))])
        activate(cluster, body, "chaos")


def roster(division: str, seats: int) -> list[Rep]:
    """Return the division's people. seats: open leads that each of the small team has room for."""
    boss = f"{division}-boss"
    people = [Rep(id=boss, division=division, name="Boss", role="leadership", email=f"{boss}@us-sales.com")]
    people.append(Rep(id=f"{division}-rv", division=division, name="Rita", role="reviewer"))
    for team, size in (("hot", 6), ("tight", 4), ("wide", 8)):
        lead = f"{division}-{team}-lead"
        people.append(
            Rep(id=lead, division=division, name="Lea", role="manager", team=team, email=f"{lead}@us-sales.com")
        )
        for number in range(size):
            one = f"{division}-{team}-{number}"
            people.append(
                Rep(
                    id=one,
                    division=division,
                    name=f"Rep {number}",
                    role="rep",
                    team=team,
                    seniority=("senior", "normal", "normal")[number % 3],
                    limit=seats / 2 if team == "tight" else 100_000,
                    manager=lead,
                    email=f"{one}@us-sales.com",
                )
            )
    return people


def hire(cluster: ClusterSettings, people: Sequence[Rep]) -> None:
    """Put people on the roster, or change who is on it."""
    rows = [Outgoing(f"rep/{one.id}/{one.active}", "reps", one.id, "rep.put", encode(one)) for one in people]
    write(cluster, rows)
