"""Where the clock starts, until when a notice is of use, and breaches that the CRM caused (OPT-6, NOT-5, EDG-4)."""

from datetime import timedelta

from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, Notice
from schemas.delivery import Settlement
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, Arrival, World, at, of_kind, told

FROM_NOTICE = DEFAULT + "\nsla: {clock_from: notification}\n"
HOT = Arrival("lone.example", 450)


def owners_notice(decision: Decision) -> Notice:
    return next(notice for notice in decision.notices if notice.audience in ("owner", "queue"))


def test_a_clock_from_the_notification_starts_at_the_first_delivery() -> None:
    world = World(FROM_NOTICE)
    lead = world.arrives(HOT)
    world.settles(lead, Settlement.FIRST_DELIVERED, at("14:16"))
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("14:18:30")
    alert = of_kind(world.until(at("14:21")), DecisionKind.ESCALATED)[-1]
    assert (alert.at, told(alert, "manager")) == (at("14:21"), {"MM"})
    (moved,) = world.until(at("14:26"))
    assert (moved.at, moved.owner.id) == (at("14:26"), "M2")
    (contact,) = world.does(ActivityKind.CALLED, lead.lead_id, "M2", at("14:27"))
    assert contact.trace["contact_seconds"] == 11 * 60


def test_a_change_of_owner_starts_no_new_clock_and_a_second_delivery_neither() -> None:
    world = World(FROM_NOTICE)
    lead = world.arrives(HOT)
    world.settles(lead, Settlement.FIRST_DELIVERED, at("14:16"))
    world.until(at("14:26"))
    world.settles(world.decisions[-1], Settlement.FIRST_DELIVERED, at("14:27"))
    (leadership,) = world.until(at("14:31"))
    assert told(leadership, "leadership") == {"SL"}


def test_until_a_delivery_the_clock_counts_from_the_submission() -> None:
    world = World(FROM_NOTICE)
    world.arrives(HOT)
    alert = of_kind(world.until(at("14:19")), DecisionKind.ESCALATED)[-1]
    assert told(alert, "manager") == {"MM"}


def test_as_shipped_a_delivery_moves_no_clock() -> None:
    world = World()
    lead = world.arrives(HOT)
    world.settles(lead, Settlement.FIRST_DELIVERED, at("14:16"))
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("14:16:30")


def test_a_notice_is_of_use_until_the_lead_moves_on() -> None:
    world = World()
    lead = world.arrives(HOT)
    assert owners_notice(lead).expires_at == at("14:24")
    reminder = world.until(at("14:16:30"))[-1]
    assert owners_notice(reminder).expires_at == at("14:19")
    moved = world.until(at("14:24"))[-1]
    assert owners_notice(moved).expires_at is None  # one automatic move: nothing takes it from the second owner


def test_a_notice_that_waits_for_the_opening_outlives_the_wait() -> None:
    lead = World().arrives(HOT.but(action="webinar", when=at("02:00", 14)))
    notice = owners_notice(lead)
    assert notice.release_at == {"slack": at("09:00", 16)}
    assert notice.expires_at == at("11:00", 16)


def test_the_automatic_reply_has_no_use_after_its_day() -> None:
    lead = World().arrives(HOT)
    reply = next(notice for notice in lead.notices if notice.audience == "lead")
    assert reply.expires_at == at("14:14") + timedelta(hours=24)


def test_a_queue_is_told_until_its_manager_takes_the_lead() -> None:
    lead = World().arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    assert owners_notice(lead).expires_at == at("14:44")


def test_the_policy_says_within_what_time_a_delivery_must_be_acknowledged() -> None:
    lead = World(DEFAULT + "\nsla: {unacknowledged: 45s}\n").arrives(HOT)
    assert owners_notice(lead).acknowledge_within_seconds == 45
    assert {n.acknowledge_within_seconds for n in lead.notices if n.audience not in ("owner", "queue")} == {None}


def test_a_breach_is_the_crms_where_it_took_the_record_after_the_deadline() -> None:
    world = World()
    lead = world.arrives(HOT)
    world.until(at("14:33"))
    rows = world.settles(lead, Settlement.CRM_ACKNOWLEDGED, at("14:34"))
    noted = rows[-1]
    assert noted.sla is not None
    assert (noted.kind, noted.sla.breach, noted.sla.breach_charged_to) == (DecisionKind.NOTED, "crm_late", None)
    assert noted.notices == ()
    (contact,) = world.does(ActivityKind.CALLED, lead.lead_id, "M2", at("14:35"))
    assert contact.sla is not None and contact.sla.breach == "crm_late"
    assert "Too late: the CRM took the record too late (crm_late), nobody charged." in contact.reason


def test_a_breach_stays_the_reps_where_the_crm_was_in_time() -> None:
    world = World()
    lead = world.arrives(HOT)
    world.settles(lead, Settlement.CRM_ACKNOWLEDGED, at("14:18"))
    world.until(at("14:33"))
    assert world.settles(lead, Settlement.CRM_ACKNOWLEDGED, at("14:34")) == []
    assert world.state.get(f"lead/{lead.lead_id}").breach == "not_contacted"
