"""A morning at a small sales team, written to the topics as the stages would have: what the board's pages show."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from routing.groups import Group
from routing.policy import policy_hash
from routing.pool_state import PoolState, Turn
from routing.rep_state import RepState, row_of
from schemas.account import Account
from schemas.decision import Decision, DecisionKind, Owner, OwnerKind
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import Company, Contact
from schemas.policy import PolicyBody, PolicyPointer
from schemas.rep import Absence, Rep
from schemas.wire import encode, headers_for
from tests.records import Outgoing, Records
from tests.unit.streams.board.decisions import decided, settled, standing

POLICY = Path("streams/demo/policy.yaml").read_text()
PEOPLE = (
    ("r-ada", "Ada Reyes", "ae", "ent-amer", 3900),
    ("r-ben", "Ben Okafor", "ae", "ent-amer", 4000),
    ("r-cleo", "Cleo Martin", "ae", "ent-amer", 800),
    ("r-jack", "Jack Murphy", "ae", "mid-market", 2150),
    ("r-kira", "Kira Patel", "ae", "mid-market", 1850),
    ("r-mona", "Mona Haddad", "sdr", "general", 1200),
    ("m-eve", "Eve Sanders", "manager", "ent-amer", 0),
    ("q-rosa", "Rosa Vega", "reviewer", "manual-review", 0),
)
COMPANIES = (
    ("Northfork Robotics", "northfork.example", 4200, "manufacturing", "Lena Hoffmann"),
    ("Halden Health", "haldenhealth.example", 2600, "healthcare", "Priya Nair"),
    ("Quarry Pay", "quarrypay.example", 1500, "fintech", "Tom Ellis"),
    ("Lumen Desk", "lumendesk.example", 640, "saas", "Sofia Marquez"),
    ("Brightwater Foods", "brightwater.example", 380, "retail", "Daniel Kim"),
    ("Osprey Analytics", "osprey.example", 220, "saas", "Amina Diallo"),
    ("Tern Logistics", "tern.example", 910, "logistics", "Noah Fischer"),
    ("Marlow & Sons", "marlow.example", 75, "construction", "Grace Marlow"),
)
OWNERS = ("r-ada", "r-ben", "r-cleo", "r-jack", "r-kira", "r-mona")


def write(records: Records, now: datetime) -> dict[str, str]:
    """Write the morning; return what tests look for: name -> lead id."""
    _people(records, now)
    decisions = [*_quiet(now), *_eventful(now)]
    records.write("leads.assigned", [_record(one, one.person) for one in decisions])
    told: list[NoticeSettled] = []
    for one in decisions:
        if one.kind is DecisionKind.ASSIGNED and one.lead.company.name != "Tern Logistics":
            told.append(settled(one))
            if one.tier == "T3":
                told.append(settled(one, channel="in_app", is_first=False))
    untold = next(one for one in decisions if one.lead.company.name == "Tern Logistics")
    told.append(settled(untold, channel="all", outcome=Outcome.FAILED, all_failed=True, is_first=False))
    records.write("leads.notified", [_record(one, one.person) for one in told])
    why = {"dlq_topic": "leads.raw", "dlq_stage": "enrich", "dlq_error": "Poison", "dlq_time": now.isoformat()}
    headers = why | {"dlq_reason": "not JSON: unexpected end of data", "dlq_partition": "0", "dlq_offset": "7"}
    records.write("leads.dlq", [Outgoing("k", b'{"email": "cut', headers | {"dlq_attempts": "1"}, partition=0)])
    return {one.lead.company.name or "": one.lead_id for one in decisions}


def _people(records: Records, now: datetime) -> None:
    reps = [
        Rep(id=rep, name=name, role=role, team=team, limit=40, manager="m-eve" if role == "ae" else None)
        for rep, name, role, team, _ in PEOPLE
    ]
    away = Absence(start=now - timedelta(hours=2), until=now + timedelta(days=2))
    reps[4] = reps[4].model_copy(update={"absences": (away,)})
    records.write("reps", [_record(rep, rep.id) for rep in reps])
    account = Account(domain="halden.example", name="Halden Group", owner="x-gone", is_named=True)
    records.write("accounts", [_record(account, account.domain)])
    body = PolicyBody(
        hash=policy_hash(POLICY), division="main", text=POLICY, published_at=now, published_by="operations"
    )
    pointer = PolicyPointer(division="main", hash=body.hash, activated_at=now)
    records.write("policies", [_record(body, body.hash), _record(pointer, "active/main")])
    state: list[tuple[str, Any]] = [
        (f"rep/main/{rep.id}", RepState(rep.id, row_of(rep), load, load // 50))
        for rep, (*_, load) in zip(reps, PEOPLE, strict=True)
    ]
    for pool, members in (("ent-amer", OWNERS[:3]), ("mid-market", OWNERS[3:5]), ("general", OWNERS[5:])):
        state.append((f"group/main/pool:{pool}", Group(members)))
        state.append((f"group/main/lead:{pool}", Group(("m-eve",))))
        state.append((f"pool/main/{pool}", PoolState(level=40, base=300, turns=40)))
        state += [
            (f"turn/main/{pool}/{rep}", Turn(start=40 - 2 + n, base=300, weight=100, given=14))
            for n, rep in enumerate(members)
        ]
    records.write("state.assign", [Outgoing(key, encode(value), partition=0) for key, value in state])


def _lead(number: int, company: int, minutes: float, now: datetime, **more: Any) -> Decision:
    name, domain, employees, industry, person = COMPANIES[company]
    first = person.split()[0].lower()
    contact = Contact(name=person, email=f"{first}@{domain}", phone="+12125550142", title="Head of operations")
    firm = Company(name=name, domain=domain, employees=employees, industry=industry, country="US", state="NY")
    arrived = now - timedelta(minutes=minutes)
    return decided(number=number, company=firm, contact=contact, arrived=arrived, **more)


def _quiet(now: datetime) -> Sequence[Decision]:
    """Return leads of the last hour that were contacted as they should be."""
    rows: list[Decision] = []
    for number in range(1, 41):
        minutes = 3 + number * 1.35
        lead = _lead(number, number % 8, minutes, now, owner=OWNERS[number % 6], tier=("T1", "T2", "T3")[number % 3])
        rows.append(lead)
        if number % 4:
            at = lead.lead.submitted_at + timedelta(seconds=40 + number)
            sla = standing(lead.lead.submitted_at, contacted_at=at)
            same = {"owner": lead.owner.id, "tier": lead.tier, "sla": sla}
            rows.append(_lead(number, number % 8, minutes, now, kind=DecisionKind.CONTACTED, seconds=60, **same))
        else:
            due = standing(now + timedelta(minutes=number / 2 - 2), until=now)
            rows[-1] = lead.model_copy(update={"sla": due})
    return rows


def _eventful(now: datetime) -> Sequence[Decision]:
    """Return a lead that changed hands twice, one whose owner was never told, one held, one in a queue."""
    moved = [_lead(100, 0, 25, now, owner="r-ada", rule="enterprise Americas", pool="ent-amer", trace=trace())]
    for n, (kind, seconds, owner, why) in enumerate(
        (
            (DecisionKind.ESCALATED, 300, "r-ada", "No contact 1x after the clock started; m-eve is alerted."),
            (DecisionKind.REASSIGNED, 600, "r-ben", "No contact by r-ada 2x after the clock started."),
            (DecisionKind.REASSIGNED, 900, "r-cleo", "Moved by m-eve: customer asked for this person."),
        )
    ):
        sla = standing(now - timedelta(minutes=25), until=now, breach="not_contacted", breach_charged_to="r-ada")
        more = {"owner": owner, "reason": why, "sla": sla, "epoch": n + 1, "pool": "ent-amer"}
        moved.append(_lead(100, 0, 25, now, kind=kind, seconds=seconds, **more))
    late = standing(now - timedelta(minutes=12), until=now, breach="notification_failed")
    untold = _lead(101, 6, 12, now, owner="r-jack", sla=late, tier="T1")
    team_lead = Owner(kind=OwnerKind.TEAM_LEAD, id="m-eve", pool="ent-amer")
    held = _lead(102, 2, 4, now, kind=DecisionKind.HELD, tier="T2").model_copy(
        update={"owner": team_lead, "pool": "ent-amer", "sla": standing(now + timedelta(minutes=6))}
    )
    queue = Owner(kind=OwnerKind.QUEUE, id="q-rosa", queue="manual-review")
    queued = _lead(103, 7, 9, now, kind=DecisionKind.QUEUED, tier="T2").model_copy(
        update={"owner": queue, "sla": standing(now + timedelta(minutes=2))}
    )
    return [*moved, untold, held, queued]


def northfork_is_escalated(now: datetime, why: str) -> Decision:
    """Return one more chapter of the lead that changed hands twice. why: its reason."""
    sla = standing(now - timedelta(minutes=25), breach="not_contacted", breach_charged_to="r-ada")
    more = {"owner": "r-cleo", "reason": why, "sla": sla, "epoch": 3, "pool": "ent-amer"}
    return _lead(100, 0, 25, now, kind=DecisionKind.ESCALATED, seconds=1_200, **more)


def trace() -> dict[str, Any]:
    """Return why a lead went to Ada Reyes, as the policy's engine tells it."""
    rows = [
        {"rep": "r-ada", "why": "chosen", "load": 3850, "limit": 4000},
        {"rep": "r-cleo", "why": "not their turn", "load": 800, "limit": 4000},
        {"rep": "r-ben", "why": "full", "load": 4000, "limit": 4000},
    ]
    tried = [
        {"rule": "account owner", "matched": False, "field": "account.owner", "actual": None, "expected": "known"},
        {"rule": "enterprise Americas", "matched": True},
    ]
    return {"tried": tried, "pools": [{"pool": "ent-amer", "says": "least loaded first", "candidates": rows}]}


def _record(value: Any, key: str) -> Outgoing:
    headers = headers_for("e", "t", "t", value.at if hasattr(value, "at") else _NOON, {})
    return Outgoing(key, encode(value), {name: said.decode() for name, said in headers})


_NOON = datetime.fromisoformat("2026-03-10T12:00:00+00:00")
