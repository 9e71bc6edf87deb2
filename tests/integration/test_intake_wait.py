"""A lead that waits for its decision at the intake, and what the outside reports, on a real Kafka."""

import threading
import time
from collections.abc import Iterator

import pytest

from schemas.decision import DecisionKind, Owner, OwnerKind
from schemas.ids import derived_id
from schemas.wire import encode
from streams.intake.settings import IntakeSettings
from streams.kafka.config import ClusterSettings
from tests.integration.test_intake import Running, running
from tests.lab.decisions import PERSON, REPS, decision, lead
from tests.records import Outgoing, Records
from tests.waiting import READ_LOOK_SECONDS

WAIT_SECONDS = 240.0


@pytest.fixture
def intake(topics: ClusterSettings, records: Records) -> Iterator[Running]:
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    yield from running(topics, IntakeSettings(port=0))


@pytest.fixture
def assigning(intake: Running, records: Records) -> Iterator[None]:
    """Decide on every lead that comes, as ASSIGN does: M1 owns it; one whose action is "queue" waits in a queue."""
    stop = threading.Event()

    def assign() -> None:
        done: set[str] = set()
        while not stop.wait(READ_LOOK_SECONDS):
            for raw in records.read_all("leads.raw"):
                event_id = raw.headers["ce_id"]
                if event_id not in done:
                    done.add(event_id)
                    records.write("leads.assigned", [_decided(event_id, raw.json["action"])])

    thread = threading.Thread(target=assign, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(WAIT_SECONDS)


def _decided(event_id: str, action: str) -> Outgoing:
    one = decision(decision_id=f"d-{event_id}", lead=lead(event_id=event_id))
    if action == "queue":
        owner = Owner(kind=OwnerKind.QUEUE, id="MM", queue="manual-review")
        one = one.model_copy(update={"kind": DecisionKind.QUEUED, "owner": owner})
    return Outgoing(PERSON, encode(one), {"ce_type": "lead.decided"})


def test_a_lead_that_waits_is_answered_with_its_owners_calendar(intake: Running, assigning: None) -> None:
    answer = intake.client.post("/leads?wait=30s", json={"id": "f-1", "email": "coo@lone.example", "action": "demo"})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["booking_url"] == "https://book.example/mona"
    assert (said["owner_name"], said["decision"]["owner"]) == ("Mona One", "M1")
    assert said["decision"]["decision_id"] == f"d-{said['ids'][0]}"
    again = intake.client.post("/leads?wait=30s", json={"id": "f-1", "email": "coo@lone.example", "action": "demo"})
    assert (again.status_code, again.json()) == (200, said)
    assert "lone.example" not in answer.text


def test_a_lead_in_a_queue_is_answered_without_a_calendar(intake: Running, assigning: None) -> None:
    answer = intake.client.post("/leads?wait=30s", json={"email": "coo@lone.example", "action": "queue"})
    assert (answer.status_code, answer.json()["booking_url"]) == (200, None)
    assert answer.json()["decision"]["queue"] == "manual-review"


def test_a_decision_made_shortly_before_the_intake_started_is_known(topics: ClusterSettings, records: Records) -> None:
    event_id = derived_id("f-2", "intake/web", "lead")
    records.write("leads.assigned", [_decided(event_id, "demo")])
    for intake in running(topics, IntakeSettings(port=0)):
        answer = intake.client.post("/leads?wait=30s", json={"id": "f-2", "email": "coo@lone.example"})
        assert (answer.status_code, answer.json()["decision"]["decision_id"]) == (200, f"d-{event_id}")


def test_without_a_decision_in_time_the_lead_is_taken_all_the_same(intake: Running, records: Records) -> None:
    started = time.monotonic()
    answer = intake.client.post("/leads?wait=0.3s", json={"email": "coo@lone.example", "action": "demo"})
    assert answer.status_code == 202
    assert time.monotonic() - started >= 0.3
    (raw,) = records.read_all("leads.raw")
    assert answer.json() == {"ids": [raw.headers["ce_id"]]}


@pytest.mark.parametrize(
    ("wait", "leads"), [("soon", 1), ("31s", 1), ("5s", 2)], ids=["no duration", "too long", "two leads"]
)
def test_a_wait_that_cannot_be_kept_is_refused_before_anything_is_written(
    intake: Running, records: Records, wait: str, leads: int
) -> None:
    answer = intake.client.post(f"/leads?wait={wait}", json=[{"email": "a@b.example"}] * leads)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "wait")
    assert records.read_all("leads.raw") == []
