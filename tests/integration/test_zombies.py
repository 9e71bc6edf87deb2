"""A stage that hung past its session and comes back writes nothing that anybody sees; whoever took over missed nothing.

Twice for each: by a successor with the same ids, while the first hangs inside a transaction; and by another slot,
while the first hangs between two.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel

from notifiers.settings import ChannelSettings
from schemas.ids import person_id
from schemas.lead import Company, Contact, Lead, LeadEnriched, LeadScored, MailFacts, MailKind
from schemas.rep import RepChanged
from schemas.timer import TimerArmed
from schemas.wire import headers_for
from streams.kafka.config import SESSION_TIMEOUT_MS, ClusterSettings
from tests.chaos import division
from tests.chaos.evidence import Evidence
from tests.chaos.fleet import started
from tests.chaos.keeping import kept_by
from tests.chaos.laws import Law, clocks, order_kept, owners, replayed, rotation_and_load, stores
from tests.chaos.observer import Observer
from tests.chaos.upstream import Sent
from tests.integration.slots import Slot
from tests.records import Outgoing, Record, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

SECRET = "a-zombie-secret-of-tests"
FENCED = 3
START_SECONDS = 240.0
TAKEN_OVER_SECONDS = 240.0  # session timeout, then the broker's scan for the open transaction, and a start under load
PEOPLE = 20
INSIDE, BETWEEN = "with the same ids, inside a transaction", "of another slot, between transactions"


@dataclass(slots=True)
class Lab:
    """Starts slots of one stage on machines of their own."""

    cluster: ClusterSettings
    folder: Path
    started: list[Slot] = field(default_factory=list)

    def start(self, stage: str, machine: str, slot: int = 0, fault: str = "") -> Slot:
        environ = {
            "LEADSTREAM_BOOTSTRAP": self.cluster.bootstrap,
            "LEADSTREAM_NAMESPACE": self.cluster.namespace,
            "LEADSTREAM_PERSON_SECRET": SECRET,
            "LEADSTREAM_STATE_DIR": str(self.folder / machine),
            "LEADSTREAM_HTTP_PORT_BASE": "0",
            **({"LEADSTREAM_FAULT": fault} if fault else {}),
        }
        log_file = self.folder / f"{machine}.log"
        self.started.append(Slot(started(environ, stage, slot, log_file), log_file, self.folder / machine))
        return self.started[-1]

    def zombie(self, stage: str, how: str, has_begun: Callable[[], bool], feed: Callable[[], None]) -> Slot:
        """Start a slot, `feed` it the rest once it has begun, and return it hung, with more to do."""
        if how == INSIDE:
            slot = self.start(stage, "here", fault="after-produce:2:pause")
            eventually(has_begun, lambda: f"its first work: {slot.log_file.read_text()}", START_SECONDS)
            feed()
            eventually(lambda: _is_stopped(slot), lambda: f"it to hang: {slot.log_file.read_text()}", START_SECONDS)
            return slot
        slot = self.start(stage, "here")
        eventually(has_begun, lambda: f"its first work: {slot.log_file.read_text()}", START_SECONDS)
        slot.signal(signal.SIGSTOP)
        feed()
        return slot

    def heir(self, stage: str, how: str) -> Slot:
        return self.start(stage, "there", slot=0 if how == INSIDE else 1)


@pytest.fixture
def lab(topics: ClusterSettings, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(topics, tmp_path)
    yield made
    for slot in made.started:
        slot.process.kill()
        slot.process.wait()


def _is_stopped(slot: Slot) -> bool:
    assert slot.process.poll() is None, slot.log_file.read_text()
    return bool(psutil.Process(slot.process.pid).status() == psutil.STATUS_STOPPED)


def _comes_back(zombie: Slot, heir: Slot, hung_at: float) -> None:
    """Let the zombie go on once its session is over; it must end, fenced, and its heir be well."""
    session = SESSION_TIMEOUT_MS / 1_000
    eventually(lambda: time.monotonic() - hung_at > session, "the end of its session")
    zombie.signal(signal.SIGCONT)
    assert zombie.exit_code() in (1, FENCED), zombie.log_file.read_text()
    assert len(zombie.logged("process.ended")) == 1
    assert heir.process.poll() is None, heir.log_file.read_text()
    assert heir.stop() == 0


def _record(key: str, event_id: str, event_type: str, value: BaseModel) -> Outgoing:
    headers = {name: data.decode() for name, data in headers_for(event_id, event_type, "test", datetime.now(UTC), {})}
    return Outgoing(key, value.model_dump(mode="json", exclude_none=True), headers)


def _lead(number: int, person: str) -> Lead:
    now = datetime.now(UTC)
    return Lead(
        event_id=f"lead-{number}",
        person=person,
        action="newsletter",
        submitted_at=now,
        received_at=now,
        mail=MailFacts(domain="acme-labs.com", kind=MailKind.BUSINESS),
        company=Company(name="Acme", domain="acme-labs.com", employees=120, country="US"),
    )


def _person(number: int) -> str:
    return person_id(SECRET.encode(), f"mail:p{number}@acme-labs.com")


def _enriched(numbers: Sequence[int]) -> list[Outgoing]:
    rows = []
    for number in numbers:
        person = _person(number % PEOPLE)
        value = LeadEnriched(lead=_lead(number, person), contact=Contact(), enriched_at=datetime.now(UTC))
        rows.append(_record(person, f"enriched-{number}", "lead.enriched", value))
    return rows


def _scored(numbers: Sequence[int]) -> list[Outgoing]:
    rows = []
    for number in numbers:
        person = _person(number)
        value = LeadScored(
            lead_id=f"main.{person}.1",
            division="main",
            lead=_lead(number, person),
            touch=1,
            intent="low",
            icp=False,
            segment="small",
            tier="T3",
            score=5,
            score_parts={"intent": 5},
            score_model="points-1",
            policy_hash="0" * 16,
            scored_at=datetime.now(UTC),
        )
        rows.append(_record("main", f"scored-{number}", "lead.scored", value))
    return rows


def _of_type(records: Records, topic: str, event_type: str) -> list[Record]:
    return [one for one in records.read_all(topic) if one.headers["ce_type"] == event_type]


@pytest.mark.parametrize("how", [INSIDE, BETWEEN])
def test_a_score_that_hung_is_fenced(lab: Lab, records: Records, how: str) -> None:
    division.publish(lab.cluster, [division.policy_text("main", "zombies")])

    def seen() -> int:
        return len(_of_type(records, "leads.scored", "lead.scored"))

    records.write("leads.enriched", _enriched(range(100)))
    zombie = lab.zombie(
        "score", how, lambda: seen() > 0, lambda: records.write("leads.enriched", _enriched(range(100, 200)))
    )
    hung_at = time.monotonic()
    heir = lab.heir("score", how)
    eventually(
        lambda: seen() >= 200,
        lambda: f"its heir's work: {heir.log_file.read_text()}",
        TAKEN_OVER_SECONDS,
        READ_LOOK_SECONDS,
    )
    _comes_back(zombie, heir, hung_at)

    found = [one.json for one in _of_type(records, "leads.scored", "lead.scored")]
    assert Counter(one["lead"]["event_id"] for one in found) == Counter(f"lead-{n}" for n in range(200))
    touches: dict[str, list[int]] = {}
    for one in found:
        touches.setdefault(one["lead_id"], []).append(one["touch"])
    assert touches == {f"main.{_person(n)}.1": list(range(1, 11)) for n in range(PEOPLE)}


@pytest.mark.parametrize("how", [INSIDE, BETWEEN])
def test_an_assign_that_hung_is_fenced(lab: Lab, records: Records, how: str) -> None:
    policy = division.policy_text("main", "zombies")
    division.publish(lab.cluster, [policy])
    people = [RepChanged(rep_id=one.id, division="main", rep=one, at=_now()) for one in division.roster("main", 10)]
    records.write("leads.scored", [_record("main", f"rep-{one.rep_id}", "rep.changed", one) for one in people])

    def seen() -> int:
        return len(records.read_all("leads.assigned"))

    records.write("leads.scored", _scored(range(100)))
    zombie = lab.zombie(
        "assign", how, lambda: seen() > 0, lambda: records.write("leads.scored", _scored(range(100, 200)))
    )
    hung_at = time.monotonic()
    heir = lab.heir("assign", how)
    eventually(
        lambda: seen() >= 200,
        lambda: f"its heir's work: {heir.log_file.read_text()}",
        TAKEN_OVER_SECONDS,
        READ_LOOK_SECONDS,
    )
    _comes_back(zombie, heir, hung_at)

    evidence = _observed(lab.cluster)
    assert Counter(row.cause for row in evidence.decided) == Counter(f"scored-{n}" for n in range(200))
    slot = 0 if how == INSIDE else 1
    kept = kept_by(lab.cluster, heir.state_dir, [policy], ["assign"], slot)
    laws: tuple[Law, ...] = (order_kept, clocks, owners, rotation_and_load, stores, replayed)
    assert [one for law in laws for verdict in law(evidence, kept) for one in verdict.violations] == []


@pytest.mark.parametrize("how", [INSIDE, BETWEEN])
def test_a_timers_that_hung_with_due_entries_and_nothing_consumed_is_fenced(
    lab: Lab, records: Records, how: str
) -> None:
    """All it knows it restored: it has read nothing as a member of its group. Its first fire is refused."""
    if how == INSIDE:
        wakers = _armed(records, 0)
        zombie = lab.start("timers", "here", fault="after-produce:1:pause")
        eventually(lambda: _is_stopped(zombie), "it to hang", START_SECONDS)
    else:
        zombie, wakers = _hung_in_time(lab, records)
    hung_at = time.monotonic()
    assert zombie.logged("timers.caught_up")[0]["records"] >= 60, "the premise: all restored, nothing consumed"
    heir = lab.heir("timers", how)
    eventually(
        lambda: len(records.read_all("leads.redeliver")) >= len(wakers),
        lambda: f"its heir's fires: {heir.log_file.read_text()}",
        TAKEN_OVER_SECONDS,
        READ_LOOK_SECONDS,
    )
    _comes_back(zombie, heir, hung_at)

    fired = Counter(one.json["waker"] for one in records.read_all("leads.redeliver"))
    assert fired == Counter(wakers)


def _armed(records: Records, seconds: int) -> list[str]:
    """Arm sixty wake-ups that fall due so many seconds from now; return their keys."""
    due_at = _now() + timedelta(seconds=seconds)
    wakers = [f"lab/{seconds}/{n}" for n in range(60)]
    armed = [
        TimerArmed(due_at=due_at, topic="leads.redeliver", to_key=_person(n), armed_at=_now())
        for n in range(len(wakers))
    ]
    records.write(
        "leads.timers",
        [_record(key, f"t/{key}", "timer.armed", one) for key, one in zip(wakers, armed, strict=True)],
    )
    return wakers


def _hung_in_time(lab: Lab, records: Records) -> tuple[Slot, list[str]]:
    """Return a slot that hung before anything was due, and what is armed; a busy machine gets longer for it."""
    wakers: list[str] = []
    for turn, seconds in enumerate((12, 40, 120), start=1):
        due_at = _now() + timedelta(seconds=seconds)
        wakers += _armed(records, seconds)
        slot = lab.start("timers", "here").has("timers.caught_up", turn)  # each goes on in the log of the one before
        slot.signal(signal.SIGSTOP)
        if _now() < due_at:
            return slot, wakers
        slot.signal(signal.SIGCONT)
        armed_so_far = len(wakers)
        records.read_until(["leads.redeliver"], lambda found, least=armed_so_far: len(found) >= least)  # type: ignore[misc]
        assert slot.stop() == 0
    raise AssertionError("this machine takes two minutes to start a slot")


def _observed(cluster: ClusterSettings) -> Evidence:
    evidence = Evidence(Sent())
    with Observer(cluster, evidence, ChannelSettings(), lambda _: None) as observer:
        eventually(lambda: observer.is_at_end, "the end of all topics")
    return evidence


def _now() -> datetime:
    return datetime.now(UTC)
