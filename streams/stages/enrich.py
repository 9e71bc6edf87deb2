"""ENRICH: a submission becomes a complete, canonical lead, or waits in leads.pending for slow providers."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from enrichment.account import AccountIndex, Accounts, bound
from enrichment.answer import Learnt
from enrichment.cache import key_of, usable
from enrichment.canonical import canonical
from enrichment.merge import merged
from enrichment.metrics import FormMetrics
from enrichment.providers.provider import Query
from enrichment.reach import reached
from enrichment.waterfall import Waterfall, all_of
from schemas.effects import Delete, Effect, Emit, Put
from schemas.lead import Contact, Lead, LeadEnriched, LeadPending, MailKind, RawLead
from schemas.org import Org
from schemas.state import StateView
from streams.stage import Context, Event, Handled, Kind
from streams.stages import coverage, form_drafts, form_steps, paid, submission_rate
from streams.stages.asked import Asked
from streams.stages.paid import KINDS, QuotaMemory, kept, terms_of
from streams.stages.prepared import Prepared
from streams.stages.submission_rate import counted, decode_rate
from streams.tracing import Within, untraced

HIGH_INTENT = frozenset({"demo", "pricing", "trial"})  # asked for first in any wait; the policy's table comes later
REFRESH_SECONDS = 30.0


class AccountWatch:
    """Keeps the index of account aliases fresh: every 30 s, or a hundred times as long as reading takes."""

    def __init__(self, accounts: Accounts) -> None:
        self.index = AccountIndex(accounts)
        self._due = 0.0

    def look(self) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        if started >= self._due:
            self.index.refresh()
            self._due = loop.time() + max(REFRESH_SECONDS, 100 * (loop.time() - started))


class EnrichStage:
    """The fast consumer. secret: of person ids. clock: wall time, UTC, read in `prepare` alone."""

    name = "enrich"
    inputs: tuple[str, ...] = ("leads.raw", "leads.bulk")
    low_priority: tuple[str, ...] = ("leads.bulk",)
    tables: tuple[str, ...] = ("accounts",)
    kinds: Mapping[str, Kind] = {
        **KINDS,
        "steps": Kind(form_steps.decode_steps),
        "draft": Kind(form_drafts.decode_draft),
        "coverage": Kind(coverage.decode_coverage),
        "rate": Kind(decode_rate),
    }

    def __init__(
        self,
        org: Org,
        secret: bytes,
        accounts: Accounts,
        waterfall: Waterfall,
        clock: Callable[[], datetime],
        told: coverage.Told = coverage.untold,
        forms: FormMetrics | None = None,
        within: Within = untraced,
    ) -> None:
        self._org = org
        self._secret = secret
        self._accounts = AccountWatch(accounts)
        self._waterfall = waterfall
        self._clock = clock
        self._terms = terms_of(org)
        self._quotas = QuotaMemory(org, waterfall)
        self._coverage = coverage.CoverageWatch(org.enrichment.providers, told)
        self._within = within
        self._ahead = Asked()
        self._forms = forms or FormMetrics(CollectorRegistry())

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        """Ask the providers for the whole batch at once, high intent first, within the fast deadline."""
        self._accounts.look()
        rows: list[tuple[Event, Prepared]] = []
        under_way: list[tuple[Event, asyncio.Task[Prepared]]] = []
        for event, raw in self._whole(batch, state):
            task = self._ahead.take(event)
            if task is None:
                rows.append((event, self._canonical(event, raw)))
            else:
                under_way.append((event, task))
        now = self._clock()
        self._quotas.recall(batch, state, now)
        self._coverage.look(batch[0].partition, state, now.date(), asyncio.get_running_loop().time())
        if self._waterfall.is_at_hand:
            return {place_of(event): self._learn_at_hand(prepared) for event, prepared in rows}
        rows.sort(key=lambda row: not is_urgent(row[1].lead))
        learnt = await all_of([self._asked(event, prepared, state, deadline, now) for event, prepared in rows])
        found = {place_of(event): one for (event, _), one in zip(rows, learnt, strict=True)}
        return found | {place_of(event): await task for event, task in under_way}

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
        """Ask for leads before their turn. Those of forms of several steps wait for what the steps before them said."""
        now = self._clock()
        self._quotas.recall(batch, state, now)
        rows = [(event, found) for event in batch if (found := self._foreseen(event)) is not None]
        rows.sort(key=lambda row: not is_urgent(row[1].lead))
        return await self._ahead.begin([(one, self._asked(one, found, state, deadline, now)) for one, found in rows])

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        """Return the lead's record for leads.enriched or leads.pending, and the answers to keep."""
        if not isinstance(event.value, RawLead):
            return ()
        steps = form_steps.reached(state, event.value, event.recorded_at)
        if steps and event.value.fields.get("is_test") is not True:
            self._forms.reached(*form_steps.step_of(event.value))
        if form_steps.is_early(event.value):
            drafts = form_drafts.kept(state, event.value, self._secret, event.recorded_at)
            return (*self._swept(state, event, now), *steps, *drafts)
        prepared: Prepared = context.get(place_of(event)) or self._canonical(event, event.value)
        signs, counts = self._rate(state, event, prepared.lead)
        if signs:
            suspect = prepared.lead.model_copy(update={"suspect": prepared.lead.suspect + signs})
            prepared = replace(prepared, lead=suspect)
        return (
            *self._swept(state, event, now),
            *kept(state, prepared.key, prepared.learnt, self._org, self._terms, now),
            *coverage.counted(state, prepared.learnt, event.recorded_at),
            *counts,
            *steps,
            *form_drafts.finished(state, event.value, self._secret, event.recorded_at),
            self._output(prepared, now),
        )

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        """A batch of leads needs no closing record."""
        return ()

    def _whole(self, batch: Sequence[Event], state: StateView) -> Iterator[tuple[Event, RawLead]]:
        """Yield the submissions that make a lead, each with what the earlier steps of its form said."""
        steps: dict[str, dict[str, Any]] = {}  # of sessions in this batch, by session
        for event in batch:
            raw = event.value
            if not isinstance(raw, RawLead):
                continue
            session = form_drafts.session_of(raw)
            if session is None:
                if not form_steps.is_early(raw):
                    yield event, raw
                continue
            if session not in steps:
                steps[session] = form_drafts.so_far(state, raw, self._secret, event.recorded_at)
            if form_steps.is_early(raw):
                steps[session] = form_drafts.together(steps[session], form_drafts.of_the_form(raw))
            else:
                yield event, RawLead(form_drafts.together(steps[session], raw.fields))

    def _canonical(self, event: Event, raw: RawLead) -> Prepared:
        lead, contact = canonical(
            raw,
            event_id=event.id,
            received_at=event.recorded_at,
            secret=self._secret,
            org=self._org,
            is_bulk=event.topic == "leads.bulk",
        )
        return Prepared(lead, contact)

    def _foreseen(self, event: Event) -> Prepared | None:
        raw = event.value
        if not isinstance(raw, RawLead) or form_steps.is_early(raw) or form_drafts.session_of(raw) is not None:
            return None
        try:
            return self._canonical(event, raw)
        except Exception:  # in its own turn it is set aside, with the reason
            return None

    async def close(self) -> None:
        """Break off what is asked and close the connections to the providers."""
        await self._ahead.close()
        await self._waterfall.close()

    def _learn_at_hand(self, prepared: Prepared) -> Prepared:
        query = query_of(prepared.lead, prepared.contact)
        if query is None:
            return prepared
        key = key_of(query, prepared.lead)
        return Prepared(prepared.lead, prepared.contact, key, self._waterfall.ask_at_hand(query, key))

    async def _asked(
        self, event: Event, prepared: Prepared, state: StateView, deadline: float, now: datetime
    ) -> Prepared:
        with self._within(event):
            return await self._learn(prepared, state, deadline, now)

    async def _learn(self, prepared: Prepared, state: StateView, deadline: float, now: datetime) -> Prepared:
        """Ask for one lead. Its fast deadline begins with its own first question.

        With one deadline for the batch, the time that asking for the others takes (half a millisecond each) would send
        the last of a large batch to leads.pending whatever its provider did.
        """
        until = min(deadline, asyncio.get_running_loop().time() + self._org.enrichment.deadlines.fast_seconds)
        query = query_of(prepared.lead, prepared.contact)
        if query is None:
            return prepared
        key = key_of(query, prepared.lead)
        known = usable(state.get(f"answers/{key}"), self._org.enrichment, now)
        learnt = await self._waterfall.ask(query, key, known, until)
        return Prepared(prepared.lead, prepared.contact, key, learnt)

    def _output(self, prepared: Prepared, now: datetime) -> Emit:
        lead, contact = completed(prepared, self._org, self._accounts.index)
        learnt = prepared.learnt
        if learnt.unanswered:
            asked = tuple(said.provider for said in learnt.answers) + learnt.failed
            waiting = LeadPending(lead=lead, contact=contact, asked=asked, missing=learnt.unanswered)
            return Emit("leads.pending", lead.person, "lead.pending", waiting)
        return enriched(lead, contact, learnt, now)

    def _swept(self, state: StateView, event: Event, now: datetime) -> Sequence[Delete]:
        if not paid.is_sweep_due(event):
            return ()
        return [
            *paid.swept(state, self._org.enrichment, now),
            *submission_rate.swept(state, event.recorded_at),
            *form_steps.swept(state, event.recorded_at),
            *form_drafts.swept(state, event.recorded_at),
            *coverage.swept(state, event.recorded_at),
        ]

    def _rate(self, state: StateView, event: Event, lead: Lead) -> tuple[tuple[str, ...], list[Put]]:
        if lead.is_bulk or lead.is_test:
            return (), []
        limit = self._org.spam.per_hour
        return counted(state, lead, event.value.fields.get("ip"), self._secret, event.recorded_at, limit)


def place_of(event: Event) -> str:
    """Return what tells events of a batch apart; two may share an id."""
    return f"{event.topic}/{event.partition}/{event.offset}"


def is_urgent(lead: Lead) -> bool:
    """Tell whether a lead goes first in any wait: high intent, or a visitor whom a bot has qualified and who waits."""
    return lead.bot_qualified or lead.action in HIGH_INTENT


def query_of(lead: Lead, contact: Contact) -> Query | None:
    """Return what to ask providers; None for a suspect lead and one of which nothing is known."""
    if lead.suspect:
        return None
    is_business = lead.mail.kind is MailKind.BUSINESS
    domain = lead.mail.domain if is_business else lead.company.domain
    email = contact.email if lead.mail.kind in (MailKind.BUSINESS, MailKind.PERSONAL) else None
    if domain is None and email is None and lead.company.name is None:
        return None
    return Query(domain, email, lead.company.name, lead.company.country)


def completed(prepared: Prepared, org: Org, index: AccountIndex) -> tuple[Lead, Contact]:
    """Return the lead merged with what was learnt and bound to its account, and its contact."""
    answers = prepared.learnt.answers
    lead, contact = reached(merged(prepared.lead, answers, org.enrichment), prepared.contact, answers, org.enrichment)
    host = (prepared.contact.email or "").rpartition("@")[2] or None
    return bound(lead, host, answers, index), contact


def enriched(lead: Lead, contact: Contact, learnt: Learnt, now: datetime) -> Emit:
    """Return the record for leads.enriched."""
    found = {other for said in learnt.answers for other in said.alternates} - {lead.person}
    value = LeadEnriched(lead=lead, contact=contact, enriched_at=now, alternates=tuple(sorted(found)))
    return Emit("leads.enriched", lead.person, "lead.enriched", value)
