"""The intake over real HTTP in front of a real Kafka."""

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry

from notifiers.settings import ChannelSettings
from streams.intake.api_key import digest, new_key
from streams.intake.app import create_app
from streams.intake.desk import open_desk
from streams.intake.guides.router import Guides
from streams.intake.publisher import Publisher
from streams.intake.server import server
from streams.intake.settings import IntakeSettings
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.broker import FoundBroker
from tests.conftest import FEW_PARTITIONS
from tests.records import Record, Records

WAIT_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Running:
    """An intake that listens. client: with the API key of "web" set. lines: what it has logged."""

    client: httpx.Client
    lines: list[structlog.typing.EventDict]


def running(
    cluster: ClusterSettings,
    settings: IntakeSettings,
    channels: ChannelSettings = ChannelSettings(),  # noqa: B008
    guides: Guides | None = None,
) -> Iterator[Running]:
    key = new_key()
    capture = structlog.testing.LogCapture()
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[capture])
    with Publisher(cluster, settings.ack_seconds) as publisher, open_desk(cluster, channels, guides=guides) as desk:
        app = create_app(settings, publisher, {"web": digest(key)}, CollectorRegistry(), log, desk)
        http = server(app, settings)
        thread = threading.Thread(target=http.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while not http.started:
            assert time.monotonic() < deadline, "the intake did not listen"
            thread.join(0.01)
        port = http.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}, timeout=WAIT_SECONDS
        ) as client:
            yield Running(client, capture.entries)
        http.should_exit = True
        thread.join(WAIT_SECONDS)


@pytest.fixture
def intake(topics: ClusterSettings) -> Iterator[Running]:
    yield from running(topics, IntakeSettings(port=0, rate_per_minute=600, max_batch=100, max_body_bytes=50_000))


@pytest.fixture(scope="module")
def refusing(broker: FoundBroker) -> Iterator[tuple[Running, Records]]:
    """An intake for requests that must leave nothing behind: one for all of them."""
    cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace=f"t{uuid.uuid4().hex[:10]}")
    kafka_topics.create(cluster, FEW_PARTITIONS)
    for one in running(cluster, IntakeSettings(port=0, max_body_bytes=50_000)):
        yield one, Records(cluster)
    kafka_topics.delete(cluster)


@pytest.fixture
def intake_without_a_broker() -> Iterator[Running]:
    yield from running(ClusterSettings(bootstrap="127.0.0.1:1"), IntakeSettings(port=0, ack_seconds=1.0))


def raw(records: Records) -> list[Record]:
    return records.read_all("leads.raw")


def test_a_lead_is_in_kafka_when_the_answer_comes(intake: Running, records: Records) -> None:
    answer = intake.client.post("/leads", json={"email": "vp@acme.example", "action": "demo", "x_custom": 1})
    assert answer.status_code == 202
    (record,) = raw(records)
    assert answer.json() == {"ids": [record.headers["ce_id"]]}
    assert record.headers["ce_type"] == "lead.submitted"
    assert record.json["email"] == "vp@acme.example"
    assert record.json["x_custom"] == 1
    assert record.json["submitted_at"]
    assert "acme" not in (record.key or "")


def test_a_batch_is_taken_whole(intake: Running, records: Records) -> None:
    answer = intake.client.post("/leads", json=[{"id": f"w-{n}", "email": f"a{n}@b.example"} for n in range(100)])
    assert answer.status_code == 202
    assert len(answer.json()["ids"]) == 100
    assert {record.headers["ce_id"] for record in raw(records)} == set(answer.json()["ids"])


def test_a_batch_with_one_unfit_lead_is_refused_whole(refusing: tuple[Running, Records]) -> None:
    intake, records = refusing
    answer = intake.client.post("/leads", json=[{"email": "a@b.example"}, {"action": "demo"}, 7])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["1.email", "2"]
    assert all(error["fix"] for error in answer.json()["errors"])
    assert raw(records) == []


def test_the_same_id_gives_the_same_event_id_and_partition(intake: Running, records: Records) -> None:
    lead = {"id": "form-77", "email": "vp@acme.example"}
    first, second = (intake.client.post("/leads", json=lead).json() for _ in range(2))
    assert first == second
    one, two = raw(records)
    assert (one.key, one.partition, one.headers["ce_id"]) == (two.key, two.partition, two.headers["ce_id"])
    assert one.json["id"] == "form-77"


def test_an_activity_needs_a_known_kind_and_something_it_is_about(intake: Running, records: Records) -> None:
    unknown = intake.client.post("/activity", json={"kind": "winked", "lead_id": "main.a.1"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "kind")
    about_nothing = intake.client.post("/activity", json={"kind": "called", "rep": "r-1"})
    assert (about_nothing.status_code, about_nothing.json()["errors"][0]["field"]) == (422, "lead_id")
    taken = intake.client.post("/activity", json={"kind": "called", "lead_id": "main.a.1", "rep": "r-1"})
    assert taken.status_code == 202
    (record,) = records.read_all("leads.activity")
    assert record.json["kind"] == "called"
    assert record.json["at"]


def test_a_rep_is_put_under_its_id_and_a_misspelt_field_is_named(intake: Running, records: Records) -> None:
    misspelt = intake.client.put("/reps/r-7", json={"name": "Ada", "senority": "senior"})
    assert misspelt.status_code == 422
    assert misspelt.json()["errors"][0]["field"] == "senority"
    assert "seniority" in misspelt.json()["errors"][0]["fix"]
    assert intake.client.put("/reps/r-7", json={"id": "r-8", "name": "Ada"}).status_code == 422
    assert intake.client.put("/reps/r-7", json={"name": "Ada", "seniority": "senior"}).status_code == 202
    (record,) = records.read_all("reps")
    assert (record.key, record.json["id"], record.json["seniority"]) == ("r-7", "r-7", "senior")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-API-Key": "lsk_wrong"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"X-API-Key": "", "Authorization": "Basic abc"}, 401),
    ],
    ids=["a wrong key", "no key", "another scheme"],
)
def test_without_a_known_key_nothing_is_taken(
    refusing: tuple[Running, Records], headers: dict[str, str], status: int
) -> None:
    intake, records = refusing
    answer = intake.client.post("/leads", json={"email": "a@b.example"}, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (status, "Bearer")
    assert raw(records) == []


def test_the_key_is_taken_as_a_bearer_token_too(intake: Running) -> None:
    key = intake.client.headers["X-API-Key"]
    headers = {"X-API-Key": "", "Authorization": f"Bearer {key}"}
    assert intake.client.post("/leads", json={"email": "a@b.example"}, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"email": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 5_000, "application/json", 400),
        (b"{}", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"7", "application/json", 422),
        (b'{"email": ""}', "application/json", 422),
        (b'{"email": "a@b.example", "id": 7}', "application/json", 422),
        (b"email=a", "application/x-www-form-urlencoded", 415),
        (b'{"email": "' + b"a" * 60_000 + b'"}', "application/json", 413),
    ],
    ids=[
        "cut off",
        "NaN",
        "not UTF-8",
        "too deep",
        "empty object",
        "empty array",
        "a number",
        "nothing in it",
        "an id that is a number",
        "a form",
        "too long",
    ],
)
def test_what_is_unfit_is_refused_with_a_problem_that_helps(
    refusing: tuple[Running, Records], body: bytes, kind: str, status: int
) -> None:
    intake, records = refusing
    answer = intake.client.post("/leads", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert answer.json()["fix"]
    assert raw(records) == []


def test_an_endpoint_that_is_not_there_is_told_in_the_same_form(refusing: tuple[Running, Records]) -> None:
    intake, _ = refusing
    for answer, status in ((intake.client.get("/lead"), 404), (intake.client.get("/leads"), 405)):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert "POST /leads" in answer.json()["fix"]


def test_a_body_without_a_declared_length_is_cut_off_too(refusing: tuple[Running, Records]) -> None:
    intake, _ = refusing
    chunks = iter([b'{"email": "'] + [b"a" * 10_000] * 10)
    answer = intake.client.post("/leads", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_a_key_that_writes_too_much_is_told_when_to_come_back(intake: Running) -> None:
    batch = [{"email": f"a{n}@b.example"} for n in range(100)]
    answers: list[httpx.Response] = []
    while len(answers) < 8 or (len(answers) < 100 and answers[-1].status_code == 202):  # ten a second come free again
        answers.append(intake.client.post("/leads", json=batch))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert sum(answer.status_code == 202 for answer in answers) >= 6


def test_with_the_broker_away_the_answer_is_503_and_not_ready(intake_without_a_broker: Running) -> None:
    client = intake_without_a_broker.client
    answer = client.post("/leads", json={"email": "a@b.example"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").text == "ok"


def test_health_readiness_and_metrics_need_no_key(intake: Running) -> None:
    intake.client.post("/leads", json={"email": "a@b.example"})
    intake.client.headers.pop("X-API-Key")
    assert intake.client.get("/readyz").text == "ready"
    text = intake.client.get("/metrics").text
    assert 'leadstream_intake_requests_total{route="/leads",status="202"} 1.0' in text
    assert 'leadstream_intake_records_total{topic="leads.raw"} 1.0' in text


def test_the_log_says_who_and_how_long_but_nothing_personal(intake: Running) -> None:
    intake.client.post("/leads?email=canary@acme.example", json={"email": "canary@acme.example"})
    intake.client.put("/reps/canary", json={"name": "Canary"})
    answered = [line for line in intake.lines if line["event"] == "request.answered"]
    assert [(line["route"], line["status"], line["client"]) for line in answered] == [
        ("/leads", 202, "web"),
        ("/reps/{rep_id}", 202, "web"),
    ]
    assert "canary" not in repr(intake.lines).lower()


def test_the_openapi_document_describes_leads_and_problems(intake: Running) -> None:
    document = intake.client.get("/openapi.json").json()
    post = document["paths"]["/leads"]["post"]
    assert {"202", "401", "413", "422", "429", "503"} <= post["responses"].keys()
    assert "email" in document["components"]["schemas"]["SubmittedLead"]["properties"]
    assert "HTTPValidationError" not in str(post)
