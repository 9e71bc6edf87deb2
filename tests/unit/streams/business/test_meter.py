"""Each event-driven row of the metric table, from what the real ASSIGN decides about the worked examples' leads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from schemas.activity import ActivityKind
from schemas.decision import Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import AccountMatch, Contact, LeadEnriched
from streams.business.journey import Recent
from streams.business.meter import Meter
from streams.business.metrics import BusinessMetrics
from streams.business.slices import MOST_VALUES
from streams.stage import Event
from tests.worked.world import ACME, ROSTER, Arrival, World, at

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Watched:
    """A world whose scored leads, decisions and outcomes a meter sees."""

    def __init__(self, most_leads: int = 1_000) -> None:
        self.world = World()
        self.registry = CollectorRegistry()
        self.meter = Meter(BusinessMetrics(self.registry), most_leads)
        self.seen = 0

    def arrives(self, arrival: Arrival) -> Decision:
        decision = self.world.arrives(arrival)
        self.look()
        return decision

    def until(self, when: datetime) -> None:
        self.world.until(when)
        self.look()

    def does(self, kind: ActivityKind, lead: str, rep: str | None, when: datetime, **more: Any) -> None:
        self.world.does(kind, lead, rep, when, **more)
        self.look()

    def look(self) -> None:
        """Show the meter what ASSIGN read and wrote since the last look."""
        for one in self.world.handled:
            self.see(one.event.value, "leads.scored")
        self.world.handled = []
        for decision in self.world.decisions[self.seen :]:
            self.see(decision, "leads.assigned")
        self.seen = len(self.world.decisions)

    def settled(self, decision: Decision, when: datetime, **more: Any) -> NoticeSettled:
        fields: dict[str, Any] = {
            "notice": "owner",
            "audience": "owner",
            "template": "assignment",
            "recipient": decision.owner.id or "",
            "channel": "email",
            "outcome": Outcome.DELIVERED,
            "key": "k",
            "attempts": 1,
            "is_first": True,
        }
        value = NoticeSettled(
            decision_id=decision.decision_id,
            lead_id=decision.lead_id,
            division="main",
            person=decision.person,
            epoch=decision.epoch,
            at=when,
            **(fields | more),
        )
        self.see(value, "leads.notified")
        return value

    def see(self, value: Any, topic: str) -> None:
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        self.meter.observe(Event("e", "t", topic, 0, 0, "k", value, self.world.now, headers))

    def value(self, name: str, **labels: str) -> float:
        """A metric's value, 0 where it has no series."""
        return self.registry.get_sample_value(f"leadstream_business_{name}", labels) or 0.0

    def everything(self) -> dict[str, float]:
        return {
            f"{sample.name}{sample.labels}": sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.value and not sample.name.endswith("_created")
        }


@pytest.fixture
def seen() -> Watched:
    return Watched()


def test_a_routed_lead_counts_once_in_each_dimension(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    assert seen.value("routed_total", tier="T1", in_time="yes", fallback="no") == 1
    for by, of in (("rule", decision.rule), ("pool", "mm-southwest"), ("rep", decision.owner.id), ("tier", "T1")):
        assert seen.value("outcomes_total", outcome="routed", by=by, of=str(of)) == 1
    assert seen.value("outcomes_total", outcome="routed", by="path", of="senior lane") == 1


def test_the_catch_all_counts_as_fallback(seen: Watched) -> None:
    seen.arrives(Arrival("rio.example", 300, country="BR", state=None))
    assert seen.value("routed_total", tier="T2", in_time="yes", fallback="yes") == 1
    assert seen.value("outcomes_total", outcome="fallback", by="tier", of="T2") == 1


def test_speed_to_assign_ends_when_the_crm_acknowledges(seen: Watched) -> None:
    decision = seen.arrives(Arrival(delay_seconds=3))
    crm = {"notice": "crm", "audience": "crm", "channel": "crm", "is_first": False}
    seen.settled(decision, at("14:14:07"), **crm)
    seen.settled(decision, at("14:14:40"), **crm)  # a later write is no second assignment
    assert seen.value("speed_to_assign_seconds_sum", tier="T1", entry="other") == 7
    assert seen.value("speed_to_assign_seconds_count", tier="T1", entry="other") == 1
    assert seen.value("step_seconds_sum", step="submitted_decided") == 3


def test_an_outcome_that_is_read_before_its_decision_waits_for_it() -> None:
    early, late = Watched(), Watched()
    decision = late.arrives(Arrival())
    late.settled(decision, at("14:14:06"))
    early.settled(decision, at("14:14:06"))
    assert early.value("notifications_total", tier="T1", outcome="in_time") == 0
    early.arrives(Arrival())
    assert early.everything() == late.everything()


@pytest.mark.parametrize(
    ("seconds", "more", "outcome"),
    [
        (6, {}, "in_time"),
        (31, {}, "late"),
        (30, {"channel": "all", "outcome": Outcome.FAILED, "all_failed": True, "is_first": False}, "failed"),
    ],
    ids=["in time", "late", "every channel failed"],
)
def test_what_became_of_the_owners_notice(seen: Watched, seconds: int, more: dict[str, Any], outcome: str) -> None:
    decision = seen.arrives(Arrival())
    for _ in range(2):  # said twice, counted once
        seen.settled(decision, decision.at + timedelta(seconds=seconds), **more)
    assert seen.value("notifications_total", tier="T1", outcome=outcome) == 1


def test_contact_in_time_meets_the_sla(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    seen.settled(decision, at("14:14:10"))
    seen.does(ActivityKind.CALLED, decision.lead_id, decision.owner.id, at("14:17"))
    assert seen.value("sla_total", tier="T1", outcome="met") == 1
    assert seen.value("speed_to_contact_seconds_sum", tier="T1") == 180
    assert seen.value("first_response_seconds_sum", tier="T1") == 180
    assert seen.value("step_seconds_sum", step="delivered_contacted") == 170


def test_contact_by_somebody_else_is_a_first_response_only(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    seen.does(ActivityKind.CALLED, decision.lead_id, "M3", at("14:17"))
    assert seen.value("first_response_seconds_count", tier="T1") == 1
    assert seen.value("speed_to_contact_seconds_count", tier="T1") == 0


def test_a_silent_rep_misses_the_sla_and_loses_the_lead_to_a_step(seen: Watched) -> None:
    decision = seen.arrives(Arrival(delay_seconds=3))
    seen.until(at("14:29"))
    assert seen.value("sla_total", tier="T1", outcome="missed") == 1
    assert seen.value("breaches_total", tier="T1", cause="not_contacted") == 1
    assert seen.value("moves_total", move="step", soon="yes") == 1
    assert seen.value("first_owner_lost_total") == 0  # SLA steps apart
    seen.does(ActivityKind.CALLED, decision.lead_id, "M2", at("14:31:10"))
    assert seen.value("sla_total", tier="T1", outcome="met") == 0
    assert seen.value("speed_to_contact_seconds_sum", tier="T1") == 17 * 60 + 10


def test_neither_a_handoff_nor_an_absent_owners_repeat_counts_against_the_first_owner(seen: Watched) -> None:
    small = seen.arrives(Arrival("small.example", 120, action="webinar"))
    seen.does(ActivityKind.QUALIFIED, small.lead_id, small.owner.id, at("14:16"), to="pool:mm-southwest")
    ours = Arrival(action="webinar", who="f" * 32)
    owner = seen.arrives(ours).owner.id
    assert owner is not None
    seen.world.roster(ROSTER[owner][0].model_copy(update={"status": "sick"}), at("14:17"))
    seen.arrives(ours.but(touch=2, action="demo", when=at("14:20")))
    assert [seen.value("moves_total", move=move, soon="yes") for move in ("handoff", "absent")] == [1, 1]
    assert seen.value("first_owner_lost_total") == 0


def test_contact_in_time_that_is_learned_late_amends_the_breach(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    late = at("14:20")
    seen.does(ActivityKind.CALLED, decision.lead_id, decision.owner.id, at("14:16"), learned=late)
    assert [seen.value("sla_total", tier="T1", outcome=one) for one in ("met", "missed", "amended")] == [0, 1, 1]


def test_a_move_by_hand_counts_against_the_first_owner(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    seen.does(ActivityKind.REASSIGNED, decision.lead_id, None, at("14:16"), to="M3", by="MM", reason="account")
    assert seen.value("moves_total", move="by_hand", soon="yes") == 1
    assert seen.value("first_owner_lost_total") == 1
    assert seen.value("accounts_attached_total") == 1
    assert seen.value("outcomes_total", outcome="moved_by_hand", by="rule", of=str(decision.rule)) == 1
    seen.does(ActivityKind.REASSIGNED, decision.lead_id, None, at("14:18"), to="M2", by="MM")
    assert seen.value("flags_total", flag="moved_twice_in_a_day") == 1


def test_a_move_after_two_days_is_no_wrong_first_choice(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    seen.does(ActivityKind.CALLED, decision.lead_id, decision.owner.id, at("14:15"))
    seen.does(ActivityKind.REASSIGNED, decision.lead_id, None, at("15:00", 13), to="M3", by="MM")
    assert seen.value("moves_total", move="by_hand", soon="no") == 1
    assert seen.value("outcomes_total", outcome="moved_by_hand", by="tier", of="T1") == 0


def test_account_matches_are_counted_of_leads_not_of_touches(seen: Watched) -> None:
    seen.arrives(Arrival("acme.example", 5_000, account=ACME, who="a" * 32))
    seen.arrives(Arrival("acme.example", 5_000, account=ACME, who="a" * 32, touch=2, when=at("14:15")))
    assert seen.value("account_matches_total", match=AccountMatch.DOMAIN.value) == 1


def test_conversions_are_counted_once_and_by_path(seen: Watched) -> None:
    lead = seen.arrives(Arrival()).lead_id
    seen.does(ActivityKind.MEETING_HELD, lead, "M1", at("14:16"))
    seen.does(ActivityKind.MEETING_SET, lead, "M1", at("14:17"))
    seen.does(ActivityKind.STAGE_CHANGED, lead, "M1", at("14:18"), stage="mid")
    seen.does(ActivityKind.WON, lead, "M1", at("14:20"), value=12_000.0)
    for outcome in ("meeting", "opportunity", "won"):
        assert seen.value("outcomes_total", outcome=outcome, by="path", of="senior lane") == 1
    assert seen.value("revenue_total", path="senior lane") == 12_000
    assert seen.value("closed_total", contacted="yes") == 1


def test_a_lead_that_ends_without_contact_was_never_followed_up(seen: Watched) -> None:
    decision = seen.arrives(Arrival())
    seen.does(ActivityKind.DISQUALIFIED, decision.lead_id, "M1", at("14:16"))
    assert seen.value("closed_total", contacted="no") == 1
    assert seen.value("outcomes_total", outcome="never_contacted", by="rep", of=str(decision.owner.id)) == 1


def test_the_step_clocks_join_across_topics(seen: Watched) -> None:
    arrival = Arrival(who="b" * 32, delay_seconds=4)
    lead = arrival.lead("b" * 32).model_copy(update={"received_at": at("14:14:01")})
    enriched = LeadEnriched(lead=lead, contact=Contact(), enriched_at=at("14:14:03"))
    seen.see(enriched, "leads.enriched")
    seen.arrives(arrival)
    clocks = ("submitted_received", "received_enriched", "enriched_scored", "scored_decided")
    assert [seen.value("step_seconds_sum", step=step) for step in clocks] == [1, 2, 1, 0]
    assert seen.value("enriched_fields_total", field="employees") == 1


def test_a_test_lead_touches_no_metric(seen: Watched) -> None:
    before = seen.everything()
    decision = seen.arrives(Arrival(is_test=True, who="c" * 32))
    enriched = LeadEnriched(lead=decision.lead, contact=Contact(), enriched_at=at("14:14:03"))
    seen.see(enriched, "leads.enriched")
    seen.settled(decision, at("14:14:06"))
    seen.settled(decision, at("14:14:06"), audience="crm", is_first=False)
    seen.until(at("14:29"))
    seen.does(ActivityKind.MEETING_HELD, decision.lead_id, "M1", at("14:31"))
    seen.does(ActivityKind.WON, decision.lead_id, "M1", at("14:32"), value=1.0)
    remembered = "leadstream_business_remembered_leads{}"
    assert {name: value for name, value in seen.everything().items() if name != remembered} == before


def test_exemplars_carry_the_trace_of_the_lead(seen: Watched) -> None:
    seen.arrives(Arrival())
    found: Sequence[Any] = [
        sample.exemplar.labels
        for metric in seen.registry.collect()
        for sample in metric.samples
        if sample.name == "leadstream_business_step_seconds_bucket" and sample.exemplar
    ]
    assert found == [{"trace_id": TRACE}]


def test_what_is_remembered_has_a_bound() -> None:
    seen = Watched(most_leads=3)
    for _ in range(10):
        seen.arrives(Arrival())
    assert seen.value("remembered_leads") == 3


def test_values_of_a_dimension_have_a_bound(seen: Watched) -> None:
    slices = seen.meter.metrics.slices
    for number in range(MOST_VALUES + 50):
        slices.count("routed", {"source": f"campaign-{number}"})
    assert seen.value("outcomes_total", outcome="routed", by="source", of="other") == 50


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    recent: Recent[int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
