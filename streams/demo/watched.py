"""What the demo has seen so far of its leads, folded from the stream's records. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import Contact

PLACED = (DecisionKind.ASSIGNED, DecisionKind.QUEUED, DecisionKind.HELD, DecisionKind.NURTURED)


@dataclass(frozen=True, slots=True)
class Line:
    """One decision as the live table shows it. seconds: from submission to the record in leads.assigned."""

    at: datetime
    who: str
    company: str
    tier: str
    rule: str
    owner: str
    what: str
    seconds: float


@dataclass(slots=True)
class Watched:
    """Everything seen. names: rep id -> name. by_event: event id of a submission -> the decision on it."""

    names: dict[str, str]
    lines: list[Line] = field(default_factory=list)
    by_event: dict[str, Decision] = field(default_factory=dict)
    reassigned: dict[str, Decision] = field(default_factory=dict)  # by event id of the lead's first submission
    events_of: dict[str, str] = field(default_factory=dict)  # lead id -> event id of its first submission
    delivered: set[str] = field(default_factory=set)  # lead ids of which a notice was delivered
    delays: list[float] = field(default_factory=list)  # seconds to assign, of each lead
    companies: set[str] = field(default_factory=set)
    dead_letters: int = 0
    contacted: int = 0
    alerts: int = 0

    def decided(self, decision: Decision, recorded_at: datetime) -> None:
        """Take in a decision. recorded_at: Kafka's timestamp of its record."""
        if decision.lead.is_test:  # the one that opened the way
            return
        event = decision.lead.event_id
        seconds = max(0.0, (recorded_at - decision.lead.submitted_at).total_seconds())
        match decision.kind:
            case DecisionKind.TOUCHED:
                self.by_event.setdefault(event, decision)
                self._show(decision, "duplicate, same owner", seconds)
            case DecisionKind.REASSIGNED:
                self.reassigned[self.events_of.get(decision.lead_id, event)] = decision
                before = self.name_of(decision.previous_owner.id if decision.previous_owner else None)
                self._show(decision, f"SLA missed, was {before}", seconds)
            case DecisionKind.ESCALATED:
                self.alerts += 1
            case DecisionKind.CONTACTED:
                self.contacted += 1
            case kind if kind in PLACED and event not in self.by_event:
                self.by_event[event] = decision
                self.events_of.setdefault(decision.lead_id, event)
                self.delays.append(seconds)
                if decision.lead.company.domain:
                    self.companies.add(decision.lead.company.domain)
                what = f"queue {decision.owner.queue}" if decision.owner.kind is OwnerKind.QUEUE else ""
                self._show(decision, what, seconds)

    def settled(self, notice: NoticeSettled) -> None:
        """Take in the outcome of a notice."""
        if notice.outcome is Outcome.DELIVERED:
            self.delivered.add(notice.lead_id)

    def name_of(self, rep: str | None) -> str:
        return self.names.get(rep or "", rep or "nobody")

    def _show(self, decision: Decision, what: str, seconds: float) -> None:
        contact = decision.contact
        who = _shown(contact) if contact else ""
        company = decision.lead.company.name or decision.lead.company.domain or "-"
        owner = self.name_of(decision.owner.id)
        rule = decision.rule or decision.cause
        self.lines.append(Line(decision.at, who or "-", company, decision.tier, rule, owner, what, seconds))


def _shown(contact: Contact) -> str:
    names = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    return contact.name or names or contact.email or ""
