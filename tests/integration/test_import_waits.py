"""An import behind which the stages after ENRICH cannot keep up: a live lead passes it (EDG-7)."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka.config import ClusterSettings
from tests.chaos import division
from tests.integration.test_zombies import START_SECONDS, Lab
from tests.records import Outgoing, Records
from tests.waiting import eventually

IMPORTED = 650
BATCH = 250


@pytest.fixture
def stages(topics: ClusterSettings, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(topics, tmp_path)
    yield made
    for slot in made.started:
        slot.process.kill()
        slot.process.wait()


def submission(name: str, action: str) -> Outgoing:
    fields = {"email": f"{name}@acme-labs.com", "action": action, "employees": 120, "industry": "saas", "country": "US"}
    headers = {"ce_id": name, "ce_type": "lead.submitted"}
    return Outgoing(name, fields, headers)


def test_a_live_lead_passes_an_import_that_the_decision_has_not_reached(stages: Lab, records: Records) -> None:
    """By places in the division's log: while ASSIGN is away, one batch of the import stands before the live lead."""
    division.publish(stages.cluster, [division.policy_text("main", "imports")])
    enrich, score, assign = (stages.start(stage, stage) for stage in ("enrich", "score", "assign"))

    def decided() -> int:
        return len(records.read_all("leads.assigned"))

    def scored() -> list[str]:
        found = [one for one in records.read_all("leads.scored") if one.headers["ce_type"] == "lead.scored"]
        return [str(one.json["lead"]["event_id"]) for one in found]

    def told() -> str:
        return "".join(slot.log_file.read_text()[-2_000:] for slot in (enrich, score, assign))

    records.write("leads.raw", [submission("first", "demo")])
    eventually(lambda: decided() == 1, f"the first decision: {told()}", START_SECONDS)
    assign.signal(signal.SIGKILL)
    records.write("leads.bulk", [submission(f"b{n}", "newsletter") for n in range(IMPORTED)])
    eventually(lambda: bool(enrich.logged("import.waits")), f"the import to wait: {told()}", START_SECONDS)
    records.write("leads.raw", [submission("live", "demo")])
    eventually(lambda: "live" in scored(), f"the live lead in the log: {told()}", START_SECONDS)
    before = scored().index("live")
    assert 1 <= before <= 1 + BATCH, "the first lead, and a batch of the import at most"

    assign = stages.start("assign", "assign")
    eventually(lambda: decided() >= IMPORTED + 2, f"every decision: {told()}", 2 * START_SECONDS)
    assert len(set(scored())) == len(scored()) == IMPORTED + 2
    assert [slot.stop() for slot in (enrich, score, assign)] == [0, 0, 0]
