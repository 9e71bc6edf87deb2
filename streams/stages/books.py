"""What NOTIFY writes down: the outcomes of a ledger's deliveries, the ledger after them, its next wake-up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from notifiers import line
from notifiers.crm.record import FOREIGN_ID
from notifiers.delivery import Ledger, wakes_at
from notifiers.metrics import NotifyMetrics
from notifiers.notes import LeadNotes, fresh, noted, settled_notes
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.settling import advanced
from schemas.decision import Decision
from schemas.delivery import NoticeSettled, Xref
from schemas.effects import CancelWake, Delete, Effect, Emit, Put, Wake
from schemas.state import StateView
from schemas.timer import WakeUp
from streams.stage import Event
from streams.stages.digests import handed_over, is_for_digest
from streams.stages.expiry import expiring
from streams.stages.packing import Packer


class Books:
    """Turns attempts into effects. `recorded`: the one guard of the attempt log."""

    def __init__(self, settings: ChannelSettings, packer: Packer, metrics: NotifyMetrics) -> None:
        self._settings = settings
        self._packer = packer
        self._metrics = metrics
        self._recorded: set[str] = set()

    def take_committed(self) -> set[str]:
        """Return the keys written down since the last call: the runner asks once the effects are committed."""
        committed, self._recorded = self._recorded, set()
        return committed

    def record(self, attempts: Mapping[str, Attempt]) -> None:
        """Remember what is done with.

        What waits is not: its request may be out, or may have gone out before a kill, and the log alone knows of it.
        """
        self._recorded.update(key for key, attempt in attempts.items() if attempt.result is not Try.WAITING)

    def moved(
        self, state: StateView, event: Event, ledger: Ledger, attempts: Mapping[str, Attempt], now: datetime
    ) -> Sequence[Effect]:
        """Return the outcomes that became known, the ledger after them, and the wake-up for what is still open."""
        attempts = {row.key: attempts[row.key] for row in ledger.rows if row.key in attempts}
        before: LeadNotes | None = state.get(f"lead/{ledger.decision.lead_id}")
        notes, known = self._screened(before or fresh(self._settings, now), ledger, attempts, now)
        step = advanced(ledger, known, self._settings, now)
        self._metrics.tried(ledger.rows, attempts)
        self._metrics.settled(ledger, step.settled)
        self._recorded.update(record.key for record in step.settled)
        effects: list[Effect] = [_emitted(record) for record in step.settled]
        effects.extend(_ended(attempts))
        if isinstance(event.value, Decision) and (before is None or event.value.decision_id not in before.handled):
            effects.extend(handed_over(event.value))
        if ledger.items and is_for_digest(event.value):
            effects.append(Delete(f"digest/{event.key}"))
        effects.extend(_noted(state, event, ledger, before, settled_notes(notes, step.ledger, known)))
        effects.extend(line.moved(ledger, step.ledger))
        effects.extend(self._armed(state, event, ledger, step.ledger, attempts, now))
        return effects

    def _screened(
        self, notes: LeadNotes, ledger: Ledger, attempts: Mapping[str, Attempt], now: datetime
    ) -> tuple[LeadNotes, dict[str, Attempt]]:
        """Return the notes with this ledger in them, and what is known of each row: tried, or why it is not."""
        held_back = self._packer.held_back(notes, ledger, now)
        if ledger.id not in notes.handled:
            screening = noted(notes, ledger, self._settings, now)
            notes, held_back = screening.notes, {**held_back, **screening.held_back}
        # What was sent was sent: an attempt outranks a reason not to make one.
        return notes, {**held_back, **attempts}

    def _armed(
        self,
        state: StateView,
        event: Event,
        before: Ledger,
        after: Ledger,
        attempts: Mapping[str, Attempt],
        now: datetime,
    ) -> Iterator[Effect]:
        """Keep the ledger and arm its next wake-up; the turn of a line touches that only where it changed something."""
        if not is_for_line(event.value):
            yield from line.armed(state, attempts, event.key, self._settings, now)
            yield from _kept(state, after, event.key, now)
        elif after != before:
            yield from _kept(state, after, event.key, now)
            if not after.is_open:
                yield CancelWake(f"delivery/{before.id}")

    def let_in(
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
            effects += [*self.moved(state, event, ledger, attempts, now), *named(ledger.decision, attempts, now)]
        left = frozenset(effect.key for effect in effects if isinstance(effect, Delete))
        return (*effects, *line.armed_again(state, wake, attempts, left, turn.has_more, event.key, now))


def is_for_line(value: Any) -> bool:
    """Tell whether an event is the turn of those who wait in a line."""
    return isinstance(value, WakeUp) and value.waker.startswith(line.LINE)


def named(value: Any, attempts: Mapping[str, Attempt], now: datetime) -> Iterator[Effect]:
    """Let the CRM's id find the lead: the one that it came with, and the one that the CRM gave it when it was written.

    Without it nothing that the CRM reports back could be bound.
    """
    if not isinstance(value, Decision) or value.lead_id.startswith("digest."):  # a digest names no lead of its own
        return
    written = {attempt.receipt.get(FOREIGN_ID, "") for attempt in attempts.values()}
    for foreign_id in sorted({value.lead.foreign_id or "", *written} - {""}):
        yield Emit("xref", foreign_id, "xref.put", Xref(lead_id=value.lead_id, at=now), tag=f"xref/{foreign_id}")


def _ended(attempts: Mapping[str, Attempt]) -> Iterator[Effect]:
    """Drop the browsers that their push service says are gone."""
    for device in sorted({key for attempt in attempts.values() for key in attempt.ended}):
        yield Emit("devices", device, "device.put", None, tag=f"device/{device}")


def _noted(
    state: StateView, event: Event, ledger: Ledger, before: LeadNotes | None, after: LeadNotes
) -> Iterator[Effect]:
    lead = ledger.decision.lead_id
    if after != before:
        yield Put(f"lead/{lead}", after)
    if before is None:
        yield from expiring(state, lead, event.key, after.expires_at)


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
