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
from notifiers.crm.record import FOREIGN_ID
from notifiers.delivery import Ledger, due, opened, reopened, wakes_at
from notifiers.digest import Digest
from notifiers.metrics import NotifyMetrics
from notifiers.notes import LeadNotes, fresh, noted, settled_notes
from notifiers.office import Office
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.settling import advanced
from notifiers.templates import Templates, load
from schemas.decision import Decision, told_decision_read
from schemas.delivery import NoticeSettled, Xref
from schemas.digest import DigestItem
from schemas.effects import CancelWake, Delete, Effect, Emit, Put, Wake
from schemas.poison import Poison
from schemas.resend import Resend
from schemas.state import StateView
from schemas.timer import WakeUp
from schemas.wire import Parser
from streams.stage import Context, Event, Handled, Kind
from streams.stages.digests import closed_digest, handed_over, is_for_digest, put_in
from streams.stages.expiry import SWEEP, expiring, swept
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
        self._metrics = metrics or NotifyMetrics(CollectorRegistry())
        self._settings = settings
        self._packer = Packer(settings, tables, templates)
        self._carrier = carrier
        self._clock = clock
        self._recorded: set[str] = set()  # keys that handle has written down; committed by the next prepare

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        """Send every delivery of the batch that is due, the urgent first. Return event id -> `Looked`.

        Waits `patience_seconds` at most, so one slow channel holds nobody up; it may run for several partitions of
        one batch at a time. The runner calls it again only after what `handle` returned is committed.
        """
        now = self._clock()
        committed, self._recorded = self._recorded, set()
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
        # The one guard of the attempt log. What waits is not done with: its request may be out, or may have gone out
        # before a kill, and the log alone knows of it.
        self._recorded.update(key for key, attempt in attempts.items() if attempt.result is not Try.WAITING)
        if looked.turn is not None:
            return self._let_in(state, event, value, attempts, looked.turn, now)
        ledger = self._ledger(state, value, now, looked.ledger)
        if ledger is None:
            return tuple(_named(value, {}, now))
        return (*self._moved(state, event, ledger, attempts, now), *_named(ledger.decision, attempts, now))

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

    def _let_in(
        self,
        state: StateView,
        event: Event,
        wake: WakeUp,
        attempts: Mapping[str, Attempt],
        turn: line.Turn,
        now: datetime,
    ) -> Sequence[Effect]:
        """Write down what became of those in a line whose turn it was, and arm the line's next wake-up."""
        effects: list[Effect] = []
        leads: dict[str, str] = {}  # one ledger of a lead at a time: the next one must see the notes after it
        for one in turn.first:
            ledger: Ledger | None = state.get(f"ledger/{one.ledger}")
            if ledger is None or not line.is_waiting(ledger, one):
                effects.append(Delete(one.place))
            else:
                leads.setdefault(ledger.decision.lead_id, ledger.id)
        for name in leads.values():
            ledger = state.get(f"ledger/{name}")
            assert ledger is not None
            effects += [*self._moved(state, event, ledger, attempts, now), *_named(ledger.decision, attempts, now)]
        left = frozenset(effect.key for effect in effects if isinstance(effect, Delete))
        return (*effects, *line.armed_again(state, wake, attempts, left, turn.has_more, event.key, now))

    def _look(self, state: StateView, value: Any, now: datetime) -> Looked:
        if _is_for_line(value):
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

    def _moved(
        self, state: StateView, event: Event, ledger: Ledger, attempts: Mapping[str, Attempt], now: datetime
    ) -> Sequence[Effect]:
        decision = ledger.decision
        attempts = {row.key: attempts[row.key] for row in ledger.rows if row.key in attempts}
        before: LeadNotes | None = state.get(f"lead/{decision.lead_id}")
        notes = before or fresh(self._settings, now)
        held_back = self._packer.held_back(notes, ledger, now)
        if ledger.id not in notes.handled:
            screening = noted(notes, ledger, self._settings, now)
            notes, held_back = screening.notes, {**held_back, **screening.held_back}
        # What was sent was sent: an attempt outranks a reason not to make one.
        known = {**held_back, **attempts}
        step = advanced(ledger, known, self._settings, now)
        self._metrics.tried(ledger.rows, attempts)
        self._metrics.settled(ledger, step.settled)
        self._recorded.update(record.key for record in step.settled)
        notes = settled_notes(notes, step.ledger, known)
        effects: list[Effect] = [_emitted(record) for record in step.settled]
        ended = sorted({key for attempt in attempts.values() for key in attempt.ended})
        effects.extend(Emit("devices", device, "device.put", None, tag=f"device/{device}") for device in ended)
        if isinstance(event.value, Decision) and (before is None or decision.decision_id not in before.handled):
            effects.extend(handed_over(event.value))
        if ledger.items and is_for_digest(event.value):
            effects.append(Delete(f"digest/{event.key}"))
        if notes != before:
            effects.append(Put(f"lead/{decision.lead_id}", notes))
        if before is None:
            effects.extend(expiring(state, decision.lead_id, event.key, notes.expires_at))
        effects.extend(line.moved(ledger, step.ledger))
        if _is_for_line(event.value):
            if step.ledger != ledger:
                effects.extend(_kept(state, step.ledger, event.key, now))
                if not step.ledger.is_open:
                    effects.append(CancelWake(f"delivery/{ledger.id}"))
            return effects
        effects.extend(line.armed(state, attempts, event.key, self._settings, now))
        effects.extend(_kept(state, step.ledger, event.key, now))
        return effects


def _is_for_line(value: Any) -> bool:
    return isinstance(value, WakeUp) and value.waker.startswith(line.LINE)


def _queues(state: StateView, event: Event, parcel: Parcel) -> bool:
    """Tell whether a parcel waits behind others for its lane; the urgent are tried at once."""
    return parcel.rank[0] > 0 and not _is_for_line(event.value) and line.has_line(state, parcel.lane)


def _named(value: Any, attempts: Mapping[str, Attempt], now: datetime) -> Iterator[Effect]:
    """Let the CRM's id find the lead: the one that it came with, and the one that the CRM gave it when it was written.

    Without it nothing that the CRM reports back could be bound.
    """
    if not isinstance(value, Decision) or value.lead_id.startswith("digest."):  # a digest names no lead of its own
        return
    written = {attempt.receipt.get(FOREIGN_ID, "") for attempt in attempts.values()}
    for foreign_id in sorted({value.lead.foreign_id or "", *written} - {""}):
        yield Emit("xref", foreign_id, "xref.put", Xref(lead_id=value.lead_id, at=now), tag=f"xref/{foreign_id}")


def _emitted(record: NoticeSettled) -> Emit:
    return Emit("leads.notified", record.person, "notice.settled", record, tag=record.key)


def _kept(state: StateView, ledger: Ledger, person: str, now: datetime) -> Iterator[Effect]:
    """Keep an open ledger and its wake-up; drop it once all is settled."""
    key = f"ledger/{ledger.id}"
    at = wakes_at(ledger)
    if at is not None:
        yield Put(key, ledger)
        data = {"decision_id": ledger.id}
        yield Wake(f"delivery/{ledger.id}", max(at, now), "leads.redeliver", person, data)
    elif state.get(key) is not None:
        yield Delete(key)
