"""What a read_committed reader saw of a run, cut down to what the laws ask about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from tests.chaos.outside import Outside
from tests.chaos.upstream import Sent


class Passed(NamedTuple):
    """A record on leads.enriched or leads.scored. group: person or division. about: a submission's own event id."""

    id: str
    type: str
    partition: int
    group: str
    person: str
    about: str
    lead_id: str


class Decided(NamedTuple):
    """A decision. steps: (name, done_at) of the ladder's steps that were acted on. step: the one this acts on."""

    id: str
    record_id: str
    lead_id: str
    person: str
    partition: int
    division: str
    kind: str
    cause: str
    epoch: int
    owner_kind: str
    owner: str
    pool: str
    uses_turn: bool
    cycle: int
    steps: tuple[tuple[str, str], ...]
    step: str
    deliveries: tuple[str, ...]
    fallbacks: tuple[tuple[str, tuple[str, ...]], ...] = ()  # key of one more channel -> keys that must fail before


class Journalled(NamedTuple):
    """A journal record. entries: event ids. nows: their clocks. decisions: ids of what came out of them."""

    division: str
    sequence: int
    entries: tuple[str, ...]
    nows: tuple[str, ...]
    decisions: tuple[str, ...]


class Settled(NamedTuple):
    """An outcome on leads.notified. key: of the delivery."""

    key: str
    channel: str
    outcome: str
    possible_repeat: bool


class Letter(NamedTuple):
    """A dead letter: where its original was, which stage gave up on it and why."""

    topic: str
    partition: int
    offset: int
    stage: str
    error: str
    reason: str
    value: bytes


@dataclass(slots=True)
class Evidence:
    """All of a run, each list in the order of its partition. record_ids: topic -> every `ce_id` seen there.

    timers: what is armed and not fired, key -> due (RFC 3339).
    """

    sent: Sent
    outside: Outside | None = None
    enriched: list[Passed] = field(default_factory=list)
    scored: list[Passed] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    journal: list[Journalled] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    record_ids: dict[str, list[str]] = field(default_factory=dict)
    timers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """What the stages kept. folded, stored: stage -> partition -> key -> bytes, from the changelog and from disk.

    replayed: entries of the journal that were recomputed; unlike: event ids of those that came out otherwise.
    """

    folded: dict[str, Mapping[int, Mapping[str, bytes]]] = field(default_factory=dict)
    stored: dict[str, Mapping[int, Mapping[str, bytes]]] = field(default_factory=dict)
    replayed: int = 0
    unlike: list[str] = field(default_factory=list)

    def assigned(self, kind: str) -> dict[str, Any]:
        """Return ASSIGN's values of one kind (pool, turn, rep, lead), by key."""
        parts = self.folded.get("assign", {}).values()
        return {
            key: orjson.loads(value) for part in parts for key, value in part.items() if key.split("/", 1)[0] == kind
        }
