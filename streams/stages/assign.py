"""ASSIGN: folds a division's log through `routing.decide`, keeps contacts beside it, and writes the journal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from routing.calendar.business_time import calendar_data_version
from routing.decide import ENGINE, DecisionInput, decide, division_in
from routing.division import Division, division_key
from routing.groups import Group
from routing.journal import chained, chunks, entry
from routing.lead_state import LeadState, lead_key
from routing.policy import Policy
from routing.pool_state import PoolState, Turn
from routing.rep_state import Opportunity, RepState
from routing.replay import active_hash
from routing.seats import Seats
from schemas.activity import ActivityBound
from schemas.decided import Decided
from schemas.decision import DecisionKind
from schemas.delivery import DeliverySettled
from schemas.effects import Delete, Effect, Emit, Put
from schemas.lead import Contact, LeadScored
from schemas.poison import Poison
from schemas.policy import PolicyActivated
from schemas.rep import RepChanged
from schemas.scored import plain, without_contact
from schemas.spliced import Written, spliced
from schemas.state import StateView
from schemas.timer import WakeUp
from schemas.wire import encode
from streams.errors import Retryable
from streams.stage import Context, Event, Handled, Kind, asks_nobody
from streams.stages.division_metrics import DivisionMetrics

JOURNAL = "decisions"
JOURNAL_TYPE = "decisions.journalled"
JOURNAL_BYTES = 700_000  # a journal record, well under what the broker takes

_INPUTS = (LeadScored, ActivityBound, RepChanged, PolicyActivated, DeliverySettled, WakeUp)


class PolicyMissing(Retryable):
    """The division's active policy has not arrived in `policies`. Publish its body; the batch is tried again."""

    def __init__(self, division: str, policy: str) -> None:
        super().__init__(f"policy {policy} of division {division} has not arrived: publish its body, then it goes on")
        self.division = division
        self.policy = policy


def _decoder(kind: Any) -> Callable[[bytes], Any]:
    return TypeAdapter(kind).validate_json


# What is bounded by roster and policy is held in memory; leads and what indexes them are on disk.
KINDS: dict[str, Kind] = {
    "division": Kind(_decoder(Division), resident=True),
    "rep": Kind(_decoder(RepState), resident=True),
    "group": Kind(_decoder(Group), resident=True),
    "pool": Kind(_decoder(PoolState), resident=True),
    "turn": Kind(_decoder(Turn), resident=True),
    "lead": Kind(_decoder(LeadState)),
    "contact": Kind(bytes),  # goes out as it stands
    "held": Kind(orjson.loads),
    "waiting": Kind(orjson.loads),
    "opportunity": Kind(_decoder(Opportunity)),
    "lead-by-owner": Kind(orjson.loads),
}


class AssignStage:
    """The stage. policies: hash -> compiled policy, None while its body has not arrived."""

    name = "assign"
    inputs: tuple[str, ...] = ("leads.scored",)
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("policies",)
    kinds: Mapping[str, Kind] = KINDS
    prepare = asks_nobody

    def __init__(self, policies: Callable[[str], Policy | None], metrics: DivisionMetrics | None = None) -> None:
        self._policies = policies
        self._metrics = metrics or DivisionMetrics(CollectorRegistry())
        self._calendars = calendar_data_version()
        self._seats: dict[int, Seats] = {}  # by partition; each division of a state checks it by its own revision

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        """Return the decisions on one event, with the contact that the division's rules never saw."""
        value = event.value
        if not isinstance(value, _INPUTS):
            raise Poison(f"ASSIGN does not know {event.type}")
        contact, bare = _parted(value)
        name = division_in(bare)
        division: Division | None = state.get(division_key(name))
        policy = self._policy(name, active_hash(division, bare))
        now = max(now, division.last_now) if division is not None else now
        if isinstance(bare, WakeUp):
            now = max(now, bare.due_at)
        seats = self._seats.setdefault(event.partition, Seats())
        effects = decide(state, DecisionInput(event.id, bare), policy, now, seats)
        self._metrics.turns.turned(seats)
        return _with_contacts(state, effects, bare, contact)

    def measure(self, states: Sequence[StateView], now: datetime) -> None:
        """Set the gauges of the divisions at hand."""
        self._metrics.measure(states, self._policies, now)

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        """Return the journal of a batch: each division's entries, chained by digest, in records of 700 kB at most."""
        by_division: dict[str, list[Written]] = {}
        latest: dict[str, Division] = {}
        for one in handled:
            division = _division_after(one.effects)
            if division is None:
                continue
            latest[division.name] = division
            value = one.event.value
            row = entry(one.event.id, one.event.type, one.event.offset, division.last_now, value, one.effects)
            by_division.setdefault(division.name, []).append(row)
        effects: list[Effect] = []
        for name, entries in by_division.items():
            effects += self._journalled(latest[name], entries)
        return effects

    def _policy(self, division: str, active: str | None) -> Policy | None:
        if active is None:
            return None
        policy = self._policies(active)
        if policy is None:
            raise PolicyMissing(division, active)
        return policy

    def _journalled(self, division: Division, entries: list[Written]) -> list[Effect]:
        effects: list[Effect] = []
        for run in chunks(entries, JOURNAL_BYTES):
            digest = chained(division.journal_digest, run)
            division = replace(division, journal_sequence=division.journal_sequence + 1, journal_digest=digest)
            record = {
                "division": division.name,
                "sequence": division.journal_sequence,
                **({"policy_hash": division.policy_hash} if division.policy_hash else {}),
                "engine": ENGINE,
                "calendars": self._calendars,
                "entries": run,
                "digest": digest,
            }
            tag = f"journal/{division.name}/{division.journal_sequence}"
            written = b"".join(spliced(record, plain))
            effects.append(Emit(JOURNAL, division.name, JOURNAL_TYPE, record, tag, encoded=written))
        return [*effects, Put(division_key(division.name), division)]


def _parted(value: Any) -> tuple[Contact | None, Any]:
    """A scored lead without its contact, and the contact."""
    if isinstance(value, LeadScored) and value.contact is not None:
        return value.contact, without_contact(value)
    return None, value


def _with_contacts(state: StateView, effects: Sequence[Effect], value: Any, contact: Contact | None) -> list[Effect]:
    """Attach contacts to decisions; keep the lead's newest one, drop that of a lead that ended."""
    out: list[Effect] = []
    subject = value.lead_id if isinstance(value, LeadScored) else None
    said = None if contact is None else encode(contact)
    for effect in effects:
        if not isinstance(effect, Decided):
            out.append(effect)
            continue
        known = said if effect.lead_id == subject and said is not None else state.get(contact_key(effect.lead_id))
        out.append(effect if known is None else effect.told(known))
        if effect.kind is DecisionKind.CLOSED:
            out.append(Delete(contact_key(effect.lead_id)))
    if subject is not None and said is not None and _is_open(state, effects, subject):
        out.append(Put(contact_key(subject), said, said))
    return out


def contact_key(lead: str) -> str:
    """Return the store key of a lead's contact: written and removed by this wrapper alone."""
    return f"contact/{lead}"


def _is_open(state: StateView, effects: Sequence[Effect], lead: str) -> bool:
    key = lead_key(lead)
    for effect in effects:
        if isinstance(effect, Put) and effect.key == key:
            return True
    return state.get(key) is not None


def _division_after(effects: Sequence[Effect]) -> Division | None:
    for effect in effects:
        if isinstance(effect, Put) and isinstance(effect.value, Division):
            return effect.value
    return None
