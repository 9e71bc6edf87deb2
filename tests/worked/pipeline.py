"""The world of the worked examples with all that comes before a decision: ENRICH, PENDING, SCORE and TRACK themselves.

A lead comes as a form posts it, beside what its providers answer; activity, the roster and deliveries come as others
report them. Each record is written, read and handled by the stage that consumes it, as the runner would.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment.answer import Learnt, Said
from enrichment.canonical import canonical
from enrichment.waterfall import Waterfall
from routing.policy import Policy
from schemas.account import Account
from schemas.activity import ActivityKind, ActivityReported
from schemas.decision import Audience, Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.effects import Emit, Wake
from schemas.ids import person_id
from schemas.lead import Company, LeadPending
from schemas.org import Org
from schemas.policy import PolicyBody, PolicyPointer
from schemas.rep import Backup, Rep
from schemas.wire import decode, encode
from streams.stage import Event, Stage
from streams.stages.enrich import EnrichStage, place_of
from streams.stages.pending import PendingStage
from streams.stages.prepared import Prepared
from streams.stages.score import Score
from streams.stages.track import Track
from tests.unit.streams.people import Entries, TableRows
from tests.worked.world import DEFAULT, SUBMITTED, World

SECRET = b"secret"
ORG = Org()
ACCOUNTS = (
    Account(domain="acme.example", name="Acme", owner="E1", backup=Backup(rep="E2"), is_named=True),
    Account(domain="beta.example", name="Beta", owner="X9", is_named=True),
)


class AccountRows(dict[str, Account]):
    """The accounts table."""

    def get(self, table: str, key: str) -> Account | None:  # type: ignore[override]
        return super().get(key)

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, Account]]:
        return iter(sorted(self.items()))


@dataclass(frozen=True, slots=True)
class Submission:
    """A form, and what the world would answer about it.

    said: the form's fields. known: what the primary provider answers, None where it knows no company. found_by: what
    it was found by. slow: a secondary provider is asked too, and times out. at: submitted; after_seconds: read.
    """

    said: dict[str, Any]
    known: Company | None = None
    found_by: str = "domain"
    slow: bool = False
    at: datetime = SUBMITTED
    after_seconds: float = 0.0

    @property
    def seen_at(self) -> datetime:
        return (self.at + timedelta(seconds=self.after_seconds)).astimezone(UTC)

    def but(self, **changes: Any) -> "Submission":
        return replace(self, **changes)


def form(email: str, employees: int | None, industry: str, place: str, action: str, **more: Any) -> Submission:
    """Return a lead as a row of the examples has it. place: "TX", of the US, or a country.

    The form says who they are and what they want; providers answer what the company is.
    """
    country, state = ("US", place) if place in ("TX", "NY") else (place, None)
    known = Company(
        domain=email.rpartition("@")[2], employees=employees, industry=industry, country=country, state=state
    )
    return Submission(_form(email, action), known, **more)


def bare_form(email: str, action: str, **more: Any) -> Submission:
    """Return a lead of whose company no provider knows anything; `said`: what the form says beside."""
    return Submission(_form(email, action) | more.pop("said", {}), **more)


def _form(email: str, action: str) -> dict[str, Any]:
    return {"email": email, "action": action, "phone": "+1 512 555 0100", "linkedin": "in/somebody"}


class Pipeline(World):
    """One division, and all stages before it."""

    def __init__(self, policy: str = DEFAULT, **setup: Any) -> None:
        self.tables = TableRows()
        self.accounts = AccountRows({row.domain: row for row in ACCOUNTS})
        asks = Waterfall([], lambda: self.now, str)
        stages: tuple[Stage, ...] = (
            EnrichStage(ORG, SECRET, self.accounts, asks, lambda: self.now),
            PendingStage(ORG, self.accounts, asks, lambda: self.now),
            Score(self.tables, lambda lead: "main", lambda why: None),
            Track(self.tables, lambda email: person_id(SECRET, f"mail:{email}")),
        )
        self.readers = {topic: stage for stage in stages for topic in stage.inputs}
        self.stores = {stage.name: Entries(dict(stage.kinds)) for stage in stages}
        self.records = 0
        super().__init__(policy, **setup)

    # What happens

    def submitted(self, lead: Submission) -> list[Decision]:
        """A form is posted; return all decisions on it."""
        said = lead.said | {"submitted_at": lead.at.isoformat()}
        event = self._event("leads.raw", "lead.submitted", "", said, lead.seen_at)
        self.until(lead.seen_at)
        return self._handled(event, {place_of(event): self._asked(event, lead)}, lead)

    def arrives(self, lead: Submission) -> Decision:  # type: ignore[override]
        """A form is posted; return the first decision on it."""
        return self.submitted(lead)[0]

    def activate(self, policy: Policy, now: datetime | None = None) -> None:
        at = now or self.now
        body = PolicyBody(hash=policy.hash, division="main", text=policy.text, published_at=at, published_by="ops")
        self.tables.put("policies", policy.hash, body)
        self.tables.put("policies", "active/main", PolicyPointer(division="main", hash=policy.hash, activated_at=at))
        super().activate(policy, now)

    def roster(self, rep: Rep, now: datetime | None = None) -> list[Decision]:
        self.tables.put("reps", rep.id, rep)
        return self.reported("reps", "rep.put", rep.id, rep, now or self.now)

    def opportunity(self, rep: str, name: str, stage: str, now: datetime | None = None) -> list[Decision]:
        when = now or self.now
        said = ActivityReported(
            kind=ActivityKind.OPPORTUNITY_CHANGED, at=when, opportunity_id=name, rep=rep, stage=stage
        )
        return self.reported("leads.activity", "activity.reported", rep, said, when)

    def does(self, kind: ActivityKind, lead: str, rep: str | None, when: datetime, **more: Any) -> list[Decision]:
        learned = more.pop("learned", when)
        said = ActivityReported(kind=kind, at=when, lead_id=lead, rep=rep, **more)
        self.until(learned)
        return self.reported("leads.activity", "activity.reported", lead, said, learned)

    def delivered(self, decision: Decision, outcomes: dict[str, Outcome], when: datetime) -> list[Decision]:
        """NOTIFY reports what became of the owner's notice, channel by channel; none accepted: that it all failed."""
        made: list[Decision] = []
        self.until(when)
        for channel, outcome in outcomes.items():
            is_first = outcome is Outcome.DELIVERED
            made += self._settled(decision, Audience.OWNER, channel, outcome, when, is_first=is_first)
        if Outcome.DELIVERED not in outcomes.values():
            made += self._settled(decision, Audience.OWNER, "all", Outcome.FAILED, when, all_failed=True)
        return made

    def in_crm(self, decision: Decision, when: datetime) -> list[Decision]:
        """The CRM acknowledges the owner and the record."""
        self.until(when)
        return self._settled(decision, Audience.CRM, "crm", Outcome.DELIVERED, when)

    # How it gets there

    def reported(self, topic: str, kind: str, key: str, value: Any, when: datetime) -> list[Decision]:
        """Write one record and let all stages handle what comes of it, in order; return the decisions."""
        return self._handled(self._event(topic, kind, key, value, when), {}, None)

    def _settled(
        self, decision: Decision, audience: Audience, channel: str, outcome: Outcome, when: datetime, **more: bool
    ) -> list[Decision]:
        notice = next(row for row in decision.notices if row.audience is audience)
        told = NoticeSettled(
            decision_id=decision.decision_id,
            lead_id=decision.lead_id,
            division="main",
            person=decision.person,
            epoch=decision.epoch,
            notice=notice.id,
            audience=audience,
            template=notice.template,
            recipient=decision.owner.id or "",
            channel=channel,
            outcome=outcome,
            key=f"{decision.decision_id}/{notice.id}/{channel}",
            attempts=1,
            at=when,
            **more,
        )
        return self.reported("leads.notified", "notice.settled", decision.person, told, when)

    def _event(self, topic: str, kind: str, key: str, value: Any, when: datetime) -> Event:
        self.records += 1
        read = decode(kind, 1, encode(value))
        return Event(f"{topic}-{self.records}", kind, topic, 0, self.records, key, read, when.astimezone(UTC), {})

    def _asked(self, event: Event, lead: Submission) -> Prepared:
        """What ENRICH's `prepare` learns: the primary's answer, and that the secondary has not answered yet."""
        about, contact = canonical(
            event.value, event_id=event.id, received_at=event.recorded_at, secret=SECRET, org=ORG, is_bulk=False
        )
        said = Said("primary", event.recorded_at, lead.known, found_by=lead.found_by)
        return Prepared(about, contact, None, Learnt((said,), unanswered=("secondary",) if lead.slow else ()))

    def _handled(self, event: Event, context: dict[str, Any], lead: Submission | None) -> list[Decision]:
        stage = self.readers[event.topic]
        store = self.stores[stage.name]
        made: list[Decision] = []
        for effect in store.take(stage.handle(store, event, context, max(self.now, event.recorded_at))):
            assert not isinstance(effect, Wake) or effect.key.startswith(("late/", "early/")), f"it waits: {effect}"
            if isinstance(effect, Emit):
                made += self._passed_on(effect, event.recorded_at, lead)
        return made

    def _passed_on(self, emit: Emit, when: datetime, lead: Submission | None) -> list[Decision]:
        if emit.topic == "leads.scored":
            return self.send(emit.type, emit.value, when)
        late = when
        if isinstance(emit.value, LeadPending):  # until the full deadline of the providers
            late = when + timedelta(seconds=ORG.enrichment.deadlines.full_seconds)
        event = self._event(emit.topic, emit.type, emit.key, emit.value, late)
        waiting = event.value
        context = {}
        if isinstance(waiting, LeadPending):
            context[place_of(event)] = Prepared(waiting.lead, waiting.contact, None, Learnt(failed=waiting.missing))
        return self._handled(event, context, lead)
