"""PENDING: leads whose providers were slow get the full deadline, then go on with what is known."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from enrichment.account import Accounts
from enrichment.cache import key_of, usable
from enrichment.waterfall import Waterfall, all_of
from schemas.effects import Delete, Effect, Emit, Put, Wake
from schemas.ids import derived_id
from schemas.lead import LeadEnriched, LeadPending
from schemas.org import Org
from schemas.state import StateView
from schemas.timer import WakeUp
from streams.stage import Context, Event, Handled, Kind
from streams.stages import coverage
from streams.stages.asked import Asked
from streams.stages.enrich import AccountWatch, completed, enriched, is_urgent, place_of, query_of
from streams.stages.paid import KINDS, QuotaMemory, is_sweep_due, kept, swept, terms_of
from streams.stages.prepared import Prepared
from streams.tracing import Within, untraced

LATE_AFTER = timedelta(minutes=15)  # providers that failed a lead are asked once more, for its record (ENR-7)


class PendingStage:
    """The slow consumer. It never leaves a lead unrouted: at the full deadline the form's data must do."""

    name = "pending"
    inputs: tuple[str, ...] = ("leads.pending",)
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("accounts",)
    kinds: Mapping[str, Kind] = {
        **KINDS,
        "coverage": Kind(coverage.decode_coverage),
        "late": Kind(LeadPending.model_validate_json),
    }

    def __init__(
        self,
        org: Org,
        accounts: Accounts,
        waterfall: Waterfall,
        clock: Callable[[], datetime],
        within: Within = untraced,
    ) -> None:
        self._org = org
        self._within = within
        self._ahead = Asked()
        self._accounts = AccountWatch(accounts)
        self._waterfall = waterfall
        self._clock = clock
        self._terms = terms_of(org)
        self._quotas = QuotaMemory(org, waterfall)

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        """Ask what ENRICH could not wait for, all at once, high intent first, until the full deadline."""
        self._accounts.look()
        now = self._clock()
        self._quotas.recall(batch, state, now)
        rows: list[tuple[Event, LeadPending]] = []
        under_way: list[tuple[Event, asyncio.Task[Prepared]]] = []
        for event in batch:
            if (task := self._ahead.take(event)) is not None:
                under_way.append((event, task))
            elif (waiting := _waiting(state, event)) is not None:
                rows.append((event, waiting))
        rows.sort(key=lambda row: not is_urgent(row[1].lead))
        found = await all_of([self._asked(event, waiting, state, deadline, now) for event, waiting in rows])
        learnt = {place_of(event): prepared for (event, _), prepared in zip(rows, found, strict=True)}
        return learnt | {place_of(event): await task for event, task in under_way}

    def allotted(self, states: Mapping[int, StateView], of: int) -> None:
        """Have the part of the hourly quotas that these partitions stand for."""
        self._quotas.assigned(states, of, self._clock())

    @property
    def asks_ahead(self) -> bool:
        """Tell whether some provider is outside, so that leads wait for it."""
        return not self._waterfall.is_at_hand

    async def ask_ahead(
        self, batch: Sequence[Event], state: StateView, deadline: float
    ) -> "asyncio.Future[Any] | None":
        """Ask for leads before their turn; wake-ups, whose lead is in the state, in theirs."""
        now = self._clock()
        self._quotas.recall(batch, state, now)
        rows = [(event, event.value) for event in batch if isinstance(event.value, LeadPending)]
        rows.sort(key=lambda row: not is_urgent(row[1].lead))
        return await self._ahead.begin([(one, self._asked(one, lead, state, deadline, now)) for one, lead in rows])

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        """Return the lead's record for leads.enriched; where providers failed it, also one later try."""
        waiting = _waiting(state, event)
        if waiting is None:
            return ()
        prepared: Prepared = context.get(place_of(event)) or Prepared(waiting.lead, waiting.contact)
        lead, contact = completed(prepared, self._org, self._accounts.index)
        effects: list[Effect] = [*swept(state, self._org.enrichment, now)] if is_sweep_due(event) else []
        effects += kept(state, prepared.key, prepared.learnt, self._org, self._terms, now)
        effects += [*coverage.counted(state, prepared.learnt, event.recorded_at)][:-1]  # ENRICH has counted the lead
        effects += coverage.swept(state, event.recorded_at) if is_sweep_due(event) else []
        if isinstance(event.value, WakeUp):
            effects.append(Delete(event.value.waker))
            if (lead.company, lead.account, contact) != (waiting.lead.company, waiting.lead.account, waiting.contact):
                late = LeadEnriched(lead=lead, contact=contact, enriched_at=now, is_late=True)
                effects.append(Emit("leads.enriched", lead.person, "lead.enriched", late))
            return effects
        effects.append(enriched(lead, contact, prepared.learnt, now))
        missing = prepared.learnt.unanswered + prepared.learnt.failed
        if missing:
            effects += _once_more(
                waiting.model_copy(update={"lead": lead, "contact": contact, "missing": missing}), now
            )
        return effects

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        """A batch of leads needs no closing record."""
        return ()

    async def close(self) -> None:
        """Break off what is asked and close the connections to the providers."""
        await self._ahead.close()
        await self._waterfall.close()

    async def _asked(
        self, event: Event, waiting: LeadPending, state: StateView, deadline: float, now: datetime
    ) -> Prepared:
        with self._within(event):
            return await self._learn(waiting, state, deadline, now)

    async def _learn(self, waiting: LeadPending, state: StateView, deadline: float, now: datetime) -> Prepared:
        until = min(deadline, asyncio.get_running_loop().time() + self._org.enrichment.deadlines.full_seconds)
        query = query_of(waiting.lead, waiting.contact)
        if query is None:
            return Prepared(waiting.lead, waiting.contact)
        key = key_of(query, waiting.lead)
        known = usable(state.get(f"answers/{key}"), self._org.enrichment, now)
        learnt = await self._waterfall.ask(query, key, known, until, only=waiting.missing)
        return Prepared(waiting.lead, waiting.contact, key, learnt)


def _waiting(state: StateView, event: Event) -> LeadPending | None:
    """Return the lead that an event is about: in the record itself, or kept for a later try."""
    if isinstance(event.value, WakeUp):
        found: LeadPending | None = state.get(event.value.waker)
        return found
    return event.value if isinstance(event.value, LeadPending) else None


def _once_more(waiting: LeadPending, now: datetime) -> tuple[Effect, Effect]:
    key = f"late/{derived_id(waiting.lead.event_id, 'pending', 'late')}"
    return (
        Put(key, waiting),
        Wake(key, now + LATE_AFTER, "leads.pending", waiting.lead.person),
    )
