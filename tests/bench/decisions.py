"""Decisions a second on one core, in process: the ASSIGN stage with full trace, journal and encoded records."""

import time
from datetime import UTC, datetime
from typing import Any

from routing.policy import compile_policy
from schemas.effects import Delete, Effect, Emit, Put
from schemas.policy import PolicyActivated
from schemas.rep import RepChanged
from schemas.wire import encode
from streams.stage import Event, Handled
from streams.stages.assign import KINDS, AssignStage
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from tests.bench.inputs import scored_lead
from tests.bench.setting import policy_text, roster

GRID = ((10, 200), (100, 10), (100, 200), (300, 200), (100, 2000))
LEADS = 2_000
BATCH = 500


def run() -> dict[str, Any]:
    """Return "decisions, R rules x N reps" -> rate, a second of processor time (the machine may be shared)."""
    return {f"decisions {rules} rules x {reps} reps": {"per second": round(_rate(rules, reps))} for rules, reps in GRID}


def _rate(rules: int, reps: int) -> float:
    text = policy_text(rules)
    policy = compile_policy(text)
    stage = AssignStage({policy.hash: policy}.get)
    state = PartitionState(MemoryStore(), KINDS)
    now = datetime.now(UTC)
    activated = PolicyActivated(division="main", hash=policy.hash, by="bench", reason="bench", at=now)
    people = [RepChanged(rep_id=rep.id, division="main", rep=rep, at=now) for rep in roster(reps)]
    _batch(stage, state, [_event(0, "policy.activated", activated, now)], now)
    _batch(stage, state, [_event(n, "rep.changed", row, now) for n, row in enumerate(people)], now)
    leads = [_event(n, "lead.scored", scored_lead(n, policy_hash=policy.hash), now) for n in range(LEADS)]
    started = time.process_time()
    for first in range(0, LEADS, BATCH):
        _batch(stage, state, leads[first : first + BATCH], now)
    return LEADS / (time.process_time() - started)


def _batch(stage: AssignStage, state: PartitionState, events: list[Event], now: datetime) -> None:
    handled = []
    for event in events:
        effects = tuple(stage.handle(state, event, {}, now))
        _take(state, effects)
        handled.append(Handled(event, now, effects))
    _take(state, stage.seal(handled))
    state.fold(0, 0.0)


def _take(state: PartitionState, effects: Any) -> None:
    rows: list[tuple[str, Any, bytes | None]] = []
    for effect in effects:
        _encoded(effect, rows)
    state.apply(rows)


def _encoded(effect: Effect, rows: list[tuple[str, Any, bytes | None]]) -> None:
    if isinstance(effect, Put):
        rows.append((effect.key, effect.value, encode(effect.value)))
    elif isinstance(effect, Delete):
        rows.append((effect.key, None, None))
    elif isinstance(effect, Emit):
        _ = effect.encoded or encode(effect.value)


def _event(number: int, kind: str, value: Any, now: datetime) -> Event:
    return Event(f"{kind}-{number}", kind, "leads.scored", 0, number, "main", value, now, {})
