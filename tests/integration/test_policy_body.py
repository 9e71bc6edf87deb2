"""An activation whose policy body is not there: the division waits, and goes on once the body comes."""

from datetime import UTC, datetime
from pathlib import Path

from routing.policy import compile_policy
from schemas.policy import PolicyActivated, PolicyBody
from schemas.rep import RepChanged
from schemas.wire import encode
from streams.kafka.config import ClusterSettings
from tests.bench import inputs
from tests.bench.process import python, running
from tests.bench.setting import policy_text, roster
from tests.records import Outgoing, Records
from tests.waiting import eventually

NOW = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)


def test_leads_wait_for_a_missing_policy_body_and_are_assigned_when_it_comes(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    text = policy_text(20)
    policy_hash = compile_policy(text).hash
    activated = PolicyActivated(division="main", hash=policy_hash, by="ops", reason="first", at=NOW)
    people = [RepChanged(rep_id=rep.id, division="main", rep=rep, at=NOW) for rep in roster(3)]
    records.write(
        "leads.scored",
        [
            Outgoing("main", encode(activated), {"ce_type": "policy.activated", "ce_id": "activated"}),
            *(Outgoing("main", encode(row), {"ce_type": "rep.changed", "ce_id": row.rep_id}) for row in people),
            *inputs.scored(3),
        ],
    )
    environ = {
        "LEADSTREAM_BOOTSTRAP": topics.bootstrap,
        "LEADSTREAM_NAMESPACE": topics.namespace,
        "LEADSTREAM_PERSON_SECRET": inputs.SECRET.decode(),
        "LEADSTREAM_STATE_DIR": str(tmp_path / "state"),
        "LEADSTREAM_HTTP_PORT_BASE": "0",
    }
    log = tmp_path / "assign.log"
    command = ["/bin/sh", "-c", f"exec {' '.join(python('-m', 'streams.cli.main', 'run', 'assign'))} >{log} 2>&1"]
    with running(command, environ) as process:
        eventually(
            lambda: log.exists() and "batch.held" in log.read_text(),
            lambda: f"batch.held: {log.read_text()[-2000:]}",
            240,
        )
        assert records.read_all("leads.assigned") == []
        body = PolicyBody(hash=policy_hash, division="main", text=text, published_at=NOW, published_by="ops")
        records.write("policies", [Outgoing(policy_hash, encode(body), {"ce_type": "policy.body"})])
        assigned = records.read_until(["leads.assigned"], lambda seen: len(seen) >= 3)
        assert [row.json["kind"] for row in assigned] == ["assigned"] * 3
        assert process.is_running()
    assert records.read_all("leads.dlq") == []
