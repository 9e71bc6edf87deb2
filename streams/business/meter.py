"""Folds leads and what became of them into the business metrics. No I/O and no clock: time is the events' own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

from schemas.activity import ActivityBound, ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import LeadEnriched, LeadScored
from streams.business.journey import DECISIONS_KEPT, MOVES_KEPT, Journey, Recent, Told
from streams.business.metrics import CAUSES, TIERS, BusinessMetrics
from streams.stage import Event

MOST_LEADS = 50_000  # about 100 MB at the most; 10,000 leads a day fill it in five
MOST_WAITING = 2_000  # outcomes that were read before their decision
SOON = timedelta(hours=48)
DAY = timedelta(days=1)
TOLD_IN_TIME_SECONDS = 30.0
ATTACHED_REASON = "account"
FOUR_FIELDS = ("employees", "industry", "country", "domain")

_OWNED = (OwnerKind.REP, OwnerKind.TEAM_LEAD, OwnerKind.QUEUE)
_ROUTES = (DecisionKind.ASSIGNED, DecisionKind.QUEUED, DecisionKind.REASSIGNED)
_MEETINGS = (ActivityKind.MEETING_BOOKED, ActivityKind.MEETING_HELD, ActivityKind.MEETING_SET)
_STAGES = (ActivityKind.OPPORTUNITY_CHANGED, ActivityKind.STAGE_CHANGED)
# Moves that say nothing against the first owner: SLA steps are told apart, a handoff is their work done, and who is on
# leave when their lead comes back was right when it came.
_NO_WRONG_OWNER = ("step", "returned", "handoff", "absent")
_ENDS = (ActivityKind.WON, ActivityKind.LOST, ActivityKind.DISQUALIFIED)

Observed = LeadEnriched | LeadScored | ActivityBound | Decision | NoticeSettled


class Meter:
    """`observe` one event after the other, in the order of each topic; the topics may be ahead of each other.

    metrics may be replaced between two events: who catches up with what was counted before gives throw-away ones.
    """

    def __init__(self, metrics: BusinessMetrics, most_leads: int = MOST_LEADS) -> None:
        self.metrics = metrics
        self._journeys: Recent[Journey] = Recent(most_leads)
        self._enriched_at: Recent[datetime] = Recent(most_leads)
        self._scored_at: Recent[datetime] = Recent(most_leads)
        self._waiting: Recent[list[NoticeSettled]] = Recent(MOST_WAITING)

    def observe(self, event: Event) -> None:
        """Count what the event means. Events of other types count nothing."""
        value = event.value
        if not isinstance(value, Observed):
            return
        match value:
            case LeadEnriched():
                self._enriched(value)
            case LeadScored():
                self._scored(value)
            case ActivityBound():
                if event.topic == "leads.scored":  # on leads.enriched it is only on its way
                    self._acted(value)
            case Decision():
                self._decided(value, _exemplar(event.headers))
            case NoticeSettled():
                self._settled(value, _exemplar(event.headers))
            case _:
                assert_never(value)
        self.metrics.remembered.set(len(self._journeys))

    def _enriched(self, value: LeadEnriched) -> None:
        lead = value.lead
        if lead.is_test or value.is_late or value.visited:  # asked for elsewhere, or an update: counted already
            return
        self._enriched_at.put(lead.event_id, value.enriched_at)
        self._step("submitted_received", lead.submitted_at, lead.received_at)
        self._step("received_enriched", lead.received_at, value.enriched_at)
        self.metrics.enriched.inc()
        for field in FOUR_FIELDS:
            if getattr(lead.company, field) is not None:
                self.metrics.fields.labels(field).inc()

    def _scored(self, value: LeadScored) -> None:
        lead = value.lead
        if lead.is_test or value.is_late:
            return
        self._scored_at.put(lead.event_id, value.scored_at)
        self._step("enriched_scored", self._enriched_at.get(lead.event_id), value.scored_at)
        if value.duplicate is None:
            self.metrics.accounts.labels(lead.account.match.value if lead.account else "none").inc()

    def _decided(self, decision: Decision, exemplar: dict[str, str] | None) -> None:
        journey = self._journeys.made(decision.lead_id, Journey)
        journey.is_test = decision.lead.is_test
        if journey.is_test:
            return
        journey.tier = _tier(decision.tier)
        journey.submitted_at = decision.lead.submitted_at
        journey.entry = "api" if decision.lead.source == "api" else "other"
        journey.tell(decision.decision_id, Told(decision.at, journey.tier, _releases(decision)))
        if decision.kind in _ROUTES:
            self._given(decision, journey, exemplar)
        self._sla(decision, journey, exemplar)
        if decision.kind is DecisionKind.CLOSED:
            self._closed(journey)
        if any(notice.template == "inactive_owner" for notice in decision.notices):
            self.metrics.flags.labels("inactive_owner").inc()
        for settled in self._waiting.pop(decision.lead_id) or ():
            self._settled(settled, None)

    def _given(self, decision: Decision, journey: Journey, exemplar: dict[str, str] | None) -> None:
        """The lead has an owner: its first, or another one."""
        if decision.owner.kind not in _OWNED:
            self.metrics.flags.labels("no_owner").inc()
            return
        move = decision.trace.get("move")
        if move is None or move == "engaged":
            if journey.first("routed"):
                self._routed(decision, journey, exemplar)
        else:
            self._moved(decision, journey, move)
        journey.dimensions["rep"] = decision.owner.id

    def _routed(self, decision: Decision, journey: Journey, exemplar: dict[str, str] | None) -> None:
        is_fallback = any(row.get("otherwise") for row in decision.trace.get("tried", ()) if row.get("matched"))
        due = decision.sla.route_due_at if decision.sla else None
        in_time = due is None or decision.at <= due
        journey.owned_at = decision.at
        journey.dimensions = _dimensions(decision)
        if decision.owner.kind is OwnerKind.REP:
            journey.first_owner = decision.owner.id
        self.metrics.routed.labels(journey.tier, _yes(in_time), _yes(is_fallback)).inc()
        self._outcome("routed", journey)
        if is_fallback:
            self._outcome("fallback", journey)
        self._step("scored_decided", self._scored_at.get(decision.lead.event_id), decision.at)
        self._step("submitted_decided", decision.sla.clock_at if decision.sla else None, decision.at, exemplar)

    def _moved(self, decision: Decision, journey: Journey, move: str) -> None:
        soon = journey.owned_at is not None and decision.at - journey.owned_at <= SOON
        self.metrics.moves.labels(move, _yes(soon)).inc()
        if move == "step":
            self._outcome("moved_by_step", journey)
        elif move == "by_hand" and soon:
            self._outcome("moved_by_hand", journey)
        before = decision.previous_owner
        is_lost = before is not None and before.id is not None and before.id == journey.first_owner
        if is_lost and move not in _NO_WRONG_OWNER and journey.first("first_owner_lost"):
            self.metrics.first_owner_lost.inc()
        recent = [at for at in journey.moved_at if decision.at - at <= DAY]
        journey.moved_at = [*recent, decision.at][-MOVES_KEPT:]
        if len(recent) == 1:  # the second of a day; the third raises no new flag
            self.metrics.flags.labels("moved_twice_in_a_day").inc()

    def _sla(self, decision: Decision, journey: Journey, exemplar: dict[str, str] | None) -> None:
        sla = decision.sla
        if sla is None:
            return
        known = journey.sla.get(sla.cycle)
        if sla.breach is not None and known is None:
            journey.sla[sla.cycle] = "missed"
            cause = sla.breach if sla.breach in CAUSES else "other"
            self.metrics.sla.labels(journey.tier, "missed").inc()
            self.metrics.breaches.labels(journey.tier, cause).inc()
            self._outcome("missed", journey)
            if cause == "notification_failed":
                self.metrics.flags.labels("breach_without_notification").inc()
        if decision.kind is not DecisionKind.CONTACTED or sla.contacted_at is None:
            return
        if sla.breach is None and known != "met":
            outcome = "amended" if known == "missed" else "met"
            journey.sla[sla.cycle] = "met"
            self.metrics.sla.labels(journey.tier, outcome).inc()
            self._outcome(outcome, journey)
        if journey.first(f"contacted/{sla.cycle}"):
            self._contacted(decision, journey, sla.clock_at, sla.contacted_at, exemplar)

    def _contacted(
        self, decision: Decision, journey: Journey, clock_at: datetime, at: datetime, exemplar: dict[str, str] | None
    ) -> None:
        journey.contacted_at = at
        seconds = _seconds(clock_at, at)
        self.metrics.first_response.labels(journey.tier).observe(seconds, exemplar)
        if decision.trace.get("by") == decision.owner.id:
            self.metrics.speed_to_contact.labels(journey.tier).observe(seconds, exemplar)
        self._step("delivered_contacted", journey.delivered_at, at)

    def _closed(self, journey: Journey) -> None:
        if not journey.first("closed"):
            return
        is_contacted = journey.contacted_at is not None
        self.metrics.closed.labels(_yes(is_contacted)).inc()
        if not is_contacted:
            self._outcome("never_contacted", journey)

    def _settled(self, value: NoticeSettled, exemplar: dict[str, str] | None) -> None:
        journey = self._journeys.get(value.lead_id)
        told = journey.told.get(value.decision_id) if journey is not None else None
        if journey is not None and journey.is_test:
            return
        if journey is None or told is None:  # its decision is still to be read, or long forgotten
            waiting = self._waiting.made(value.lead_id, list)
            if len(waiting) < DECISIONS_KEPT:
                waiting.append(value)
            return
        if value.audience == "crm" and value.outcome is Outcome.DELIVERED:
            self._acknowledged(value, journey, told, exemplar)
        if value.decision_id in journey.settled:
            return
        if value.all_failed:
            journey.settled.add(value.decision_id)
            self.metrics.notified.labels(told.tier, "failed").inc()
        elif value.is_first:
            journey.settled.add(value.decision_id)
            journey.delivered_at = value.at
            seconds = _seconds(max(told.at, told.release.get(value.channel, told.at)), value.at)
            outcome = "in_time" if seconds <= TOLD_IN_TIME_SECONDS else "late"
            self.metrics.notified.labels(told.tier, outcome).inc()
            self._step("decided_delivered", told.at, value.at, exemplar)

    def _acknowledged(
        self, value: NoticeSettled, journey: Journey, told: Told, exemplar: dict[str, str] | None
    ) -> None:
        if journey.submitted_at is not None and journey.first("crm"):
            seconds = _seconds(journey.submitted_at, value.at)
            self.metrics.speed_to_assign.labels(journey.tier, journey.entry).observe(seconds, exemplar)
        self._step("decided_crm", told.at, value.at)

    def _acted(self, activity: ActivityBound) -> None:
        if activity.lead_id is None:
            return
        journey = self._journeys.get(activity.lead_id) or Journey()
        if journey.is_test:
            return
        kind = activity.kind
        if kind in _MEETINGS and journey.first("meeting"):
            self._outcome("meeting", journey)
        elif kind in _STAGES and activity.stage != "closed" and journey.first("opportunity"):
            self._outcome("opportunity", journey)
        elif kind in _ENDS and journey.first(kind.value):
            self._outcome(kind.value, journey)
            if kind is ActivityKind.WON and activity.value is not None:
                self.metrics.revenue.labels(journey.dimensions.get("path") or "none").inc(max(0.0, activity.value))
        elif kind is ActivityKind.FIT_RATED:
            self.metrics.ratings.inc()
        elif kind is ActivityKind.REASSIGNED and activity.reason == ATTACHED_REASON and journey.first("attached"):
            self.metrics.attached.inc()

    def _outcome(self, outcome: str, journey: Journey) -> None:
        self.metrics.slices.count(outcome, journey.dimensions or {"tier": None})

    def _step(self, step: str, start: datetime | None, end: datetime, exemplar: dict[str, str] | None = None) -> None:
        if start is not None:
            self.metrics.steps.labels(step).observe(_seconds(start, end), exemplar)


def _dimensions(decision: Decision) -> dict[str, str | None]:
    via = decision.trace.get("via")
    return {
        "tier": decision.tier,
        "segment": decision.segment,
        "pool": decision.pool,
        "rep": decision.owner.id,
        "source": decision.lead.source,
        "rule": decision.rule,
        "path": decision.strategy if via == "pool" else via,
        "policy": decision.policy_hash[:12],
    }


def _releases(decision: Decision) -> Mapping[str, datetime]:
    owners = [notice for notice in decision.notices if notice.audience == "owner"]
    return {channel: at for notice in owners for channel, at in notice.release_at.items()}


def _exemplar(headers: Mapping[str, str]) -> dict[str, str] | None:
    """Return the trace id of a W3C traceparent as a label, None where there is none."""
    parts = headers.get("traceparent", "").split("-")
    return {"trace_id": parts[1]} if len(parts) == 4 and len(parts[1]) == 32 else None


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def _tier(name: str) -> str:
    return name if name in TIERS else "other"


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"
