"""The rule book as text and flowchart, in golden files; rewritten only on request: LEADSTREAM_REWRITE_GOLDEN=1."""

import os
from pathlib import Path

import pytest

from routing.condition_text import sentence
from routing.expression_parser import parse
from routing.policy import compile_policy
from routing.policy_flowchart import flowchart
from routing.policy_text import explain
from tests.unit.routing.policies import SHIPPED, edited, shipped

FOLDER = Path(__file__).parents[2] / "golden" / "policies"


def hold(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("LEADSTREAM_REWRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_reads_as_in_the_wiki(name: str) -> None:
    policy = shipped(name)
    hold(f"{name}.md", explain(policy).replace(policy.hash, "0" * 16))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_is_drawn_as_in_the_wiki(name: str) -> None:
    hold(f"{name}.mmd", flowchart(shipped(name)))


def test_every_rule_with_its_reason_and_owner_is_in_the_text() -> None:
    policy = shipped()
    text = explain(policy)
    for rule in policy.file.rules:
        assert rule.name in text
        assert rule.because in text
        assert rule.owner in text
        assert rule.say in text


def test_the_drawing_shows_where_a_pool_passes_leads_on_to_and_the_ladder() -> None:
    drawn = flowchart(shipped("enterprise")).splitlines()
    pools = {
        line.split('[["pool ')[1].removesuffix('"]]'): line.split("[")[0].strip() for line in drawn if '[["pool' in line
    }
    assert f"  {pools['sdr-emea']} -. qualified .-> {pools['ae-emea']}" in drawn
    assert f"  {pools['ae-emea']} -. full or empty .-> {pools['ae-amer']}" in drawn
    assert f"  {pools['ae-emea']} -. after hours .-> {pools['night-desk']}" in drawn
    assert '  l1 -.-> l2["at 2x the lead goes to someone else who is free"]' in drawn


def test_a_name_cannot_break_the_drawing() -> None:
    drawn = flowchart(edited("default", ("name: account owner", "name: 'the \"x\" <b>'")))
    assert "the #quot;x#quot; #lt;b#gt;<br/>" in drawn


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("company.employees >= 50", "the headcount is at least 50"),
        ('company.country in ["US", "CA"]', "the company's country is US or CA"),
        ('"pricing" in lead.behaviour', "the lead's behaviour includes pricing"),
        ("!has(company.employees)", "the headcount is unknown"),
        ("!icp", "it does not fit the ideal customer"),
        ("calendar.office", "the calendar office is open"),
        ('answers.seats == "many"', "the answer seats is many"),
        ("score > 80.5", "the score is above 80.5"),
        ('weekday in ["sat"]', "the weekday is sat"),
        ('weekday in ["fri", "sat", "sun"]', "the weekday is fri, sat or sun"),
        ('!(weekday == "sat")', "it is not so that the weekday is sat"),
        (
            'icp && (weekday == "sat" || hour > 18)',
            "it fits the ideal customer and (the weekday is sat or the hour is above 18)",
        ),
        ("size(lead.flags) > 1", "`size(lead.flags) > 1`"),
    ],
)
def test_a_condition_reads_as_a_sentence(text: str, said: str) -> None:
    assert sentence(parse(text)) == said


def test_what_a_pool_or_tier_has_of_its_own_is_in_the_text() -> None:
    policy = edited(
        "default",
        ("    strategy: weighted\n", "    strategy: weighted\n    caps: {day: 12, hour: 3}\n"),
        (
            "    first_action: phone call now\n",
            "    first_action: phone call now\n    ladder: [{at: 3m, do: alert_manager}]\n",
        ),
        (
            "    strategy: least_loaded\n",
            "    strategy: least_loaded\n    ladder: [{at: 1x, do: reassign}]\n"
            "    ladders: {T2: [{at: 2x, do: move, to: manager}]}\n",
        ),
    )
    told = explain(policy).splitlines()
    assert any(line.startswith("- **mm-southwest**") and "At most 3 an hour, 12 a day." in line for line in told)
    assert "- T1: at 3m the manager is alerted." in told
    assert "- Pool ent-amer: at 1x the lead goes to someone else who is free." in told
    assert "- Pool ent-amer, T2: at 2x the lead moves to the manager." in told


def test_a_policy_without_pools_has_no_chapter_on_them() -> None:
    text = """
division: main
timezone: America/Chicago
tiers: {all: {route_within: 1h, contact_within: 1h}}
queues:
  only: {owner: {role: reviewer}, manager: {role: manager}}
rules:
  - {name: all, to: {queue: only}, because: it is the only rule, say: Everything waits here., owner: ops}
"""
    chapters = [line for line in explain(compile_policy(text)).splitlines() if line.startswith("## ")]
    assert [chapter for chapter in chapters if "Pools" in chapter or "Queues" in chapter] == ["## Queues"]
