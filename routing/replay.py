"""Recomputes what a journal says: the same inputs through `decide` must give the same bytes (NEW-1)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing.decide import DecisionInput, decide, division_in
from routing.division import Division, division_key
from routing.journal import canonical, outcome
from routing.policy import Policy
from schemas.decision import JournalEntry
from schemas.effects import Delete, Effect, Put
from schemas.policy import PolicyActivated
from schemas.wire import MODELS


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An entry that came out otherwise. recorded, recomputed: canonical JSON."""

    event_id: str
    offset: int
    recorded: bytes
    recomputed: bytes


class Memory:
    """State in memory, folded from effects: for replay, what-if and tests. A `StateView`."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any | None:
        return self.values.get(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        for key in sorted((key for key in self.values if key.startswith(prefix)), key=str.encode):
            if key in self.values:
                yield key, self.values[key]

    def fold(self, effects: Iterable[Effect]) -> None:
        """Take the state changes of one event."""
        for effect in effects:
            if isinstance(effect, Put):
                self.values[effect.key] = effect.value
            elif isinstance(effect, Delete):
                self.values.pop(effect.key, None)


def replay(entries: Iterable[JournalEntry], policies: Callable[[str], Policy | None]) -> list[Mismatch]:
    """Return the entries that `decide` does not reproduce, from empty state. policies: by hash.

    Raises LookupError where a policy that the journal names is not there.
    """
    state = Memory()
    mismatches = []
    for row in entries:
        value: Any = MODELS[row.type].model_validate(row.input)
        effects = list(decide(state, DecisionInput(row.event_id, value), _policy(state, value, policies), row.now))
        state.fold(effects)
        recorded, recomputed = canonical(row.outcome), canonical(outcome(effects))
        if recorded != recomputed:
            mismatches.append(Mismatch(row.event_id, row.offset, recorded, recomputed))
    return mismatches


@dataclass(frozen=True, slots=True)
class Before:
    """A division as it was just before one event, and the event with the clock that it was decided at."""

    state: Memory
    event: DecisionInput
    policy: Policy
    now: datetime


def before_event(
    entries: Iterable[JournalEntry], policies: Callable[[str], Policy | None], event_id: str
) -> Before | None:
    """Return the division before an event, from empty state; None: no such event, or no policy yet.

    Raises LookupError where a policy that the journal names is not there.
    """
    state = Memory()
    for row in entries:
        value: Any = MODELS[row.type].model_validate(row.input)
        policy, event = _policy(state, value, policies), DecisionInput(row.event_id, value)
        if row.event_id == event_id:
            return None if policy is None else Before(state, event, policy, row.now)
        state.fold(decide(state, event, policy, row.now))
    return None


def _policy(state: Memory, value: Any, policies: Callable[[str], Policy | None]) -> Policy | None:
    active = active_hash(state.get(division_key(division_in(value))), value)
    if active is None:
        return None
    policy = policies(active)
    if policy is None:
        raise LookupError(f"the journal was decided by policy {active}, which is not there")
    return policy


def active_hash(division: Division | None, value: Any) -> str | None:
    """Return the hash of the policy that decides an event: of an activation, its own."""
    if isinstance(value, PolicyActivated):
        return value.hash
    return division.policy_hash if division is not None else None
