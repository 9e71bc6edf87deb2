"""A form that asks only for what is missing, over the real intake in front of a real Kafka (CAP-5)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.org import Org
from streams.intake.guides.guide import read_guides
from streams.intake.guides.router import Guides
from streams.intake.settings import IntakeSettings
from streams.kafka.config import ClusterSettings
from tests.integration.test_intake import Running, running
from tests.records import Records
from tests.unit.streams.intake.guides.test_guide import FILE

CANARY = "canary.ada@acme.example"


@pytest.fixture
def intake(topics: ClusterSettings, tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "guides.yaml").write_text(FILE.replace("  always: [email]\n", ""))
    guides = Guides(read_guides(tmp_path / "guides.yaml"), b"s" * 32, Org())
    yield from running(topics, IntakeSettings(port=0), guides=guides)


def asked(intake: Running, **fields: Any) -> dict[str, Any]:
    answer = intake.client.post("/leads/next", json={"form": "demo", **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_second_visit_asks_only_for_what_is_missing_and_the_lead_has_it_all(
    intake: Running, topics: ClusterSettings
) -> None:
    first = asked(intake)
    assert (first["step"], first["ask"]) == ("who", ["email", "name"])
    said = {"session": "one", "email": CANARY, "name": "Ada"}
    second = asked(intake, **said, step="who")
    assert (second["step"], second["ask"]) == ("company", ["employees", "industry"])
    third = asked(intake, **said, step="company", done=["who"], employees="1,000-5,000", profile=second["profile"])
    assert (third["step"], third["ask"]) == ("rollout", ["answers.rollout", "phone"])

    later = asked(intake, profile=third["profile"])
    assert (later["step"], later["ask"]) == ("company", ["industry"])
    last = asked(intake, profile=later["profile"], done=["company"], answers={"rollout": "q2"}, phone="+15125550101")
    assert (last["step"], last["ask"]) == ("final", [])
    lead = {"id": "lead-1", "form": "demo", "step": "final", "action": "demo", "profile": last["profile"]}
    assert intake.client.post("/leads", json=lead).status_code == 202

    records = [row.json for row in Records(topics).read_all("leads.raw")]
    assert [row.get("step") for row in records] == ["who", "company", "final"]
    whole = records[-1]
    assert (whole["email"], whole["employees"], whole["answers"]) == (CANARY, "1,000-5,000", {"rollout": "q2"})
    assert all("profile" not in row for row in records)
    assert CANARY not in str(intake.lines) and third["profile"] not in str(intake.lines)


def test_nobody_learns_of_a_person_by_typing_their_address(intake: Running) -> None:
    owner = asked(intake, email=CANARY, name="Ada", session="one", step="who", employees=5000)
    stranger = asked(intake, email=CANARY)
    assert (stranger["step"], stranger["ask"]) == ("who", ["name"])
    unknown = asked(intake, email="nobody@else.example")
    assert (unknown["step"], unknown["ask"]) == (stranger["step"], stranger["ask"])
    assert CANARY not in owner["profile"] and "Ada" not in str(owner)


def test_a_forged_or_foreign_profile_counts_as_none_and_costs_no_lead(intake: Running) -> None:
    assert asked(intake, profile="AAAA")["ask"] == ["email", "name"]
    taken = intake.client.post("/leads", json={"email": CANARY, "profile": "AAAA"})
    assert taken.status_code == 202
    refused = intake.client.post("/leads", json={"profile": "AAAA"})
    assert refused.status_code == 422 and CANARY not in refused.text


def test_a_form_that_is_not_there_and_a_caller_without_a_key_are_refused(intake: Running) -> None:
    assert intake.client.post("/leads/next", json={"form": "other"}).status_code == 404
    assert intake.client.post("/leads/next", json=[]).status_code == 422
    assert intake.client.post("/leads/next", json={"form": "demo", "done": "who"}).status_code == 422
    intake.client.headers.pop("X-API-Key")
    assert intake.client.post("/leads/next", json={"form": "demo"}).status_code == 401
