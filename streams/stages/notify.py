"""NOTIFY: knows the outside world. Tells people, the lead and the CRM, and writes what became of each delivery."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import Context as ContextVars
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
from prometheus_client import CollectorRegistry

from notifiers import line
from notifiers.attempts import FileAttemptLog
from notifiers.channel import load_configured
from notifiers.courier import Courier, Parcel
from notifiers.delivery import Ledger, due, opened, reopened
from notifiers.digest import Digest
from notifiers.metrics import NotifyMetrics
from notifiers.notes import LeadNotes
from notifiers.office import Office
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.templates import Templates, load
from schemas.decision import Decision, told_decision_read
from schemas.digest import DigestItem
from schemas.effects import Effect
from schemas.poison import Poison
from schemas.resend import Resend
from schemas.state import StateView
from schemas.timer import WakeUp
from schemas.wire import Parser
from streams.stage import Context, Event, Handled, Kind
from streams.stages.books import Books, is_for_line, named
from streams.stages.digests import closed_digest, is_for_digest, put_in
from streams.stages.expiry import SWEEP, swept
from streams.stages.packing import Packer, Tables
from streams.tracing import Within, untraced


class Carrier(Protocol):
    """Who takes messages out: an `Office`, or in tests a courier on the test's own loop."""

    async def deliver(self, parcels: Sequence[Parcel], committed: Iterable[str], seconds: float) -> dict[str, Attempt]:
        """As `Courier.deliver`."""

    def is_under_way(self, key: str) -> bool:
        """As `Courier.is_under_way`."""

    async def close(self) -> None:
        """Let go of everything."""


def build(
    settings: ChannelSettings,
    tables: Tables,
    folder: Path,
    clock: Callable[[], datetime],
    registry: CollectorRegistry,
    within: Within = untraced,
) -> "Notify":
    """Return the stage of one slot. folder: the slot's own; holds the attempt log. clock: aware UTC, steady.

    Opens the log, no connection. Raises TemplateRefused for a custom text that `notify lint` would refuse.
    """
    load_configured(settings)
    metrics = NotifyMetrics(registry)
    courier = Courier(settings, FileAttemptLog(folder / "attempts.log"), clock, metrics)
    return Notify(settings, tables, Office(courier), load(settings.templates), clock, metrics, within)


@dataclass(frozen=True, slots=True)
class Looked:
    """What `prepare` found out for one event. attempts: by key, filled as they come. ledger: what it is about.

    turn: whose turn it is, for the wake-up of a line.
    """

    attempts: dict[str, Attempt]
    ledger: Ledger | None = None
    turn: line.Turn | None = None


class Notify:
    """The stage. `prepare` sends what is due, `handle` writes down what came of it.

    State, all keyed by ids: ledger/<ledger> while a delivery is open; lead/<lead> for `notes_seconds`;
    digest/<recipient> while something waits for it; line/<lane>/… and lane/<lane> while an account takes nothing;
    expiry/<hour>/<lead> and hour/<hour> find the notes to drop.
    What a kill does: before `prepare` ends, nothing is recorded and the batch is sent again under the same keys; the
    attempt log tells which may be repeats.
    """

    name = "notify"
    inputs: tuple[str, ...] = ("leads.assigned", "leads.redeliver")
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("reps", "suppressions", "devices")
    parsers: Mapping[str, Parser] = {"lead.decided": told_decision_read}
    kinds: Mapping[str, Kind] = {
        "ledger": Kind(Ledger.model_validate_json),
        "lead": Kind(LeadNotes.model_validate_json),
        "digest": Kind(Digest.model_validate_json),
        "expiry": Kind(orjson.loads),
        "hour": Kind(orjson.loads),
        "line": Kind(orjson.loads),
        "lane": Kind(orjson.loads),
    }

    def __init__(
        self,
        settings: ChannelSettings,
        tables: Tables,
        carrier: Carrier,
        templates: Templates,
        clock: Callable[[], datetime],
        metrics: NotifyMetrics | None = None,
        within: Within = untraced,
    ) -> None:
        self._within = within
        self._settings = settings
        self._packer = Packer(settings, tables, templates)
        self._books = Books(settings, self._packer, metrics or NotifyMetrics(CollectorRegistry()))
        self._carrier = carrier
        self._clock = clock

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        """Send every delivery of the batch that is due, the urgent first. Return event id -> `Looked`.

        Waits `patience_seconds` at most, so one slow channel holds nobody up; it may run for several partitions of
        one batch at a time. The runner calls it again only after what `handle` returned is committed.
        """
        now = self._clock()
        committed = self._books.take_committed()
        ahead: dict[str, Any] = {}  # what handle will have put by the time it comes to a later event of the batch
        parcels: dict[str, Parcel] = {}
        looks: dict[str, Looked] = {}
        owners: dict[str, Looked] = {}
        queued: dict[str, Attempt] = {}
        for event in batch:
            with self._within(event):
                around = copy_context()
            looked = looks.setdefault(event.id, self._look(state, event.value, now))
            for parcel in self._parcels(state, ahead, looked, now, around):
                if parcel.key in owners:
                    continue
                owners[parcel.key] = looked
                if _queues(state, event, parcel) and not self._carrier.is_under_way(parcel.key):
                    queued[parcel.key] = Attempt(Try.WAITING, now, "the channel takes nothing now", place=parcel.place)
                else:
                    parcels[parcel.key] = parcel
        left = deadline - asyncio.get_running_loop().time()
        seconds = min(left, self._settings.patience_seconds)
        attempts = await self._carrier.deliver(list(parcels.values()), committed, seconds)
        for key, attempt in (queued | attempts).items():
            owners[key].attempts[key] = attempt
        return looks

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        """Return the outcomes that became known, the ledger after them, and the wake-up for what is still open."""
        value = event.value
        if isinstance(value, WakeUp) and value.waker.startswith(SWEEP):
            return swept(state, value, event.key, now)
        if isinstance(value, DigestItem):
            return put_in(state, value, now)
        looked: Looked = context.get(event.id) or self._look(state, value, now)
        attempts = looked.attempts
        self._books.record(attempts)
        if looked.turn is not None:
            return self._books.let_in(state, event, value, attempts, looked.turn, now)
        ledger = self._ledger(state, value, now, looked.ledger)
        if ledger is None:
            return tuple(named(value, {}, now))
        return (*self._books.moved(state, event, ledger, attempts, now), *named(ledger.decision, attempts, now))

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        """Return nothing: NOTIFY keeps no journal."""
        return ()

    async def close(self) -> None:
        """Let go of connections and of what is under way; it stays in the attempt log."""
        await self._carrier.close()

    def _ledger(self, state: StateView, value: Any, now: datetime, looked: Ledger | None = None) -> Ledger | None:
        """Return the open ledger that `value` is about, a new one for a decision seen first, else None.

        looked: what `prepare` opened for it; the state may have moved on since.
        """
        if is_for_digest(value):
            return closed_digest(state, value, self._settings, now)
        if isinstance(value, WakeUp):
            known: Ledger | None = state.get(f"ledger/{value.data.get('decision_id')}")
            return known
        if isinstance(value, Resend):
            return self._resent(state, value, now)
        if not isinstance(value, Decision):
            raise Poison(f"NOTIFY does not know {type(value).__name__}")
        if not value.notices:
            return None
        known = state.get(f"ledger/{value.decision_id}")
        notes: LeadNotes | None = state.get(f"lead/{value.lead_id}")
        if known is not None or (notes is not None and value.decision_id in notes.handled):
            return known
        return looked or opened(value, self._settings, now)

    def _resent(self, state: StateView, order: Resend, now: datetime) -> Ledger | None:
        known: Ledger | None = state.get(f"ledger/{order.id}")
        notes: LeadNotes | None = state.get(f"lead/{order.decision.lead_id}")
        if known is not None or (notes is not None and order.id in notes.handled):
            return known
        return reopened(order, self._settings, now)

    def _look(self, state: StateView, value: Any, now: datetime) -> Looked:
        if is_for_line(value):
            return Looked({}, turn=line.turn_of(state, value))
        if not isinstance(value, Decision | Resend | WakeUp):
            return Looked({})
        return Looked({}, self._ledger(state, value, now))

    def _parcels(
        self, state: StateView, ahead: dict[str, Any], looked: Looked, now: datetime, around: ContextVars
    ) -> Iterator[Parcel]:
        for one in looked.turn.first if looked.turn else ():
            waiting: Ledger | None = state.get(f"ledger/{one.ledger}")
            if waiting is not None:
                rows = (row for row in waiting.rows if row.key == one.key and now < row.ends_at)
                yield from self._packer.packed(state, ahead, waiting, rows, now, around)
        if looked.ledger is not None:
            yield from self._packer.packed(state, ahead, looked.ledger, due(looked.ledger, now), now, around)


def _queues(state: StateView, event: Event, parcel: Parcel) -> bool:
    """Tell whether a parcel waits behind others for its lane; the urgent are tried at once."""
    return parcel.rank[0] > 0 and not is_for_line(event.value) and line.has_line(state, parcel.lane)
