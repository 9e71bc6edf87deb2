"""From a ledger to the parcels that are due: what is held back, which account takes each, who is spoken of."""

from collections.abc import Iterable, Iterator, Mapping
from contextvars import Context as ContextVars
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from notifiers import line
from notifiers.channel import is_configured
from notifiers.compose import message_for, people_of
from notifiers.courier import Parcel
from notifiers.delivery import Ledger, Row, notice_of
from notifiers.notes import LeadNotes, fresh, noted, overtaken, thread_name, unsubscribed
from notifiers.outcome import UNCONFIGURED, Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.templates import Templates
from schemas.device import Device
from schemas.state import StateView


class Tables(Protocol):
    """The compacted topics that a stage reads, by logical name."""

    def get(self, table: str, key: str) -> Any | None:
        """Return the row's model, or None."""

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield (key, model) with keys that start with `prefix`."""


class Packer:
    """Packs the messages of one slot. Reads all that they need from state and tables, so that they can be composed on
    another thread."""

    def __init__(self, settings: ChannelSettings, tables: Tables, templates: Templates) -> None:
        self._settings = settings
        self._tables = tables
        self._templates = templates

    def packed(
        self,
        state: StateView,
        ahead: dict[str, Any],
        ledger: Ledger,
        rows: Iterable[Row],
        now: datetime,
        around: ContextVars,
    ) -> Iterator[Parcel]:
        """Yield a parcel for each of `rows` that is not held back.

        ahead: what `handle` will have put into the state by then; notes are added to it. around: of each call.
        """
        notes_key = f"lead/{ledger.decision.lead_id}"
        notes = ahead.get(notes_key) or state.get(notes_key) or fresh(self._settings, now)
        held_back = self.held_back(notes, ledger, now)
        if ledger.id not in notes.handled:
            screening = noted(notes, ledger, self._settings, now)
            notes = ahead[notes_key] = screening.notes
            held_back = {**held_back, **screening.held_back}
        for row in rows:
            if row.key not in held_back:
                yield self._parcel(ledger, row, notes, around.copy())

    def held_back(self, notes: LeadNotes, ledger: Ledger, now: datetime) -> Mapping[str, Attempt]:
        """Return the open rows that must not be sent any more, by key."""
        return {
            **self._unconfigured(ledger, now),
            **overtaken(notes, ledger, now),
            **unsubscribed(ledger, self._is_suppressed, now),
        }

    def _unconfigured(self, ledger: Ledger, now: datetime) -> dict[str, Attempt]:
        return {
            row.key: Attempt(Try.SUPPRESSED, now, UNCONFIGURED)
            for row in ledger.rows
            if row.settled is None and not is_configured(row.channel, self._settings)
        }

    def _is_suppressed(self, person: str) -> bool:
        return self._tables.get("suppressions", person) is not None

    def _parcel(self, ledger: Ledger, row: Row, notes: LeadNotes, around: ContextVars) -> Parcel:
        decision, items = ledger.decision, ledger.items
        told_of = [item.decision for item in items] if items else [decision]
        people = people_of(told_of, row, partial(self._tables.get, "reps"))
        notice = notice_of(decision, row)
        receipt = notes.threads.get(thread_name(row), {})
        devices = self._devices(row.recipient) if row.channel == "push" else ()
        rank = line.rank_of(notice, decision.tier)
        lane = line.lane_of(row, notice, devices, self._settings)
        return Parcel(
            key=row.key,
            channel=row.channel,
            compose=partial(
                message_for, decision, row, people.get, self._templates, self._settings, receipt, items, devices
            ),
            chain=f"{decision.lead_id}/{row.channel}/{row.recipient}",
            rank=(*rank, row.tries),
            lane=lane,
            place=line.place_of(lane, rank, ledger, row),
            may_have_arrived=row.may_have_arrived,
            context=around,
        )

    def _devices(self, rep: str) -> tuple[Device, ...]:
        return tuple(device for _, device in self._tables.scan("devices", f"{rep}/") if device.rep == rep)
