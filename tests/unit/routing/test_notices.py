"""Who is told of a decision, over which channels, when and until when; and the one answer to the lead itself."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, Notice
from schemas.lead import MailKind
from tests.worked.world import ACME, ALWAYS, DEFAULT, ROSTER, Arrival, World, at, channels, person, told

HOT = Arrival("lone.example", 450)
WARM = HOT.but(action="webinar")
FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}
READER = Arrival("reader.example", 20, industry="retail", action="whitepaper", who="a" * 32)


def notice_to(decision: Decision, audience: str) -> Notice:
    return next(notice for notice in decision.notices if notice.audience == audience)


def answers(decision: Decision) -> list[str]:
    return [notice.template for notice in decision.notices if notice.audience == "lead"]


# The answer to the lead


@pytest.mark.parametrize(
    ("action", "template"),
    [("demo", "demo"), ("webinar", "content"), ("something else", "receipt"), (None, "receipt")],
)
def test_a_lead_is_answered_by_what_it_asked_for(action: str | None, template: str) -> None:
    assert answers(World().arrives(HOT.but(action=action))) == [f"auto_reply.{template}"]


def test_a_lead_of_a_queue_is_answered_by_the_team() -> None:
    assert answers(World().arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))) == ["auto_reply.team"]


@pytest.mark.parametrize(
    ("plan", "count"),
    [
        ("{enabled: false}", 0),
        ("{off_for: [mm-southwest]}", 0),
        ("{off_for: [smb-sdr]}", 1),
        ("{templates: {demo: hello}}", 1),
    ],
)
def test_the_policy_says_who_is_answered(plan: str, count: int) -> None:
    assert len(answers(World(f"{DEFAULT}\nauto_reply: {plan}\n").arrives(HOT))) == count


def test_where_no_template_is_named_for_what_was_asked_a_receipt_goes_out() -> None:
    world = World(f"{DEFAULT}\nauto_reply: {{templates: {{demo: hello}}}}\n")
    assert answers(world.arrives(WARM)) == ["auto_reply.receipt"]


@pytest.mark.parametrize(
    ("action", "after", "count"),
    [
        ("webinar", timedelta(hours=24, seconds=-1), 0),
        ("webinar", timedelta(hours=24), 1),
        ("content", timedelta(hours=1), 1),
    ],
    ids=["within a day", "a day later", "for something else"],
)
def test_nobody_is_answered_twice_a_day_for_the_same(action: str, after: timedelta, count: int) -> None:
    world = World()
    world.arrives(WARM.but(who="a" * 32))
    again = world.arrives(WARM.but(who="a" * 32, touch=2, action=action, when=WARM.when + after))
    assert len(answers(again)) == count


def test_of_the_answers_to_a_lead_the_last_ten_are_remembered() -> None:
    world = World()
    lead = world.arrives(READER).lead_id
    for number in range(2, 13):
        world.arrives(READER.but(touch=number, when=READER.when + timedelta(days=number)))
    kept = world.lead(lead).replies
    assert [(reply.at - at("14:14")).days for reply in kept] == list(range(3, 13))


# The manager


def test_a_lead_held_for_room_is_told_to_the_team_lead_who_is_accountable() -> None:
    held = World(loads=FULL).arrives(WARM)
    assert (held.kind, held.owner.id, told(held, "manager")) == (DecisionKind.HELD, "MM", {"MM"})


def test_of_a_team_leads_own_lead_leadership_is_told() -> None:
    world = World(loads=FULL)
    lead = world.arrives(HOT)
    assert lead.owner.id == "MM"
    alert = next(row for row in world.until(at("14:19")) if row.trace.get("step") == "1x:alert_manager")
    assert told(alert, "manager") == {"SL"}


def test_of_a_queue_whose_owner_is_its_manager_too_leadership_is_told() -> None:
    text = DEFAULT.replace("manager: {role: manager, team: manual-review}", "manager: {team: manual-review}")
    world = World(text, without=("RM",))
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    alerts = [row for row in world.until(at("16:00")) if row.kind is DecisionKind.ESCALATED and told(row, "manager")]
    assert (lead.owner.id, {who for row in alerts for who in told(row, "manager")}) == ("RV", {"SL"})


def test_the_manager_of_an_accounts_owner_is_told_though_no_pool_chose_them() -> None:
    world = World()
    world.roster(person("X1", "elsewhere", manager="SM"))
    lead = world.arrives(HOT).lead_id
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:15"), to="X1", by="MM", reason="knows them")
    alert = next(row for row in world.until(at("14:19")) if row.trace.get("step") == "1x:alert_manager")
    assert (alert.owner.id, told(alert, "manager")) == ("X1", {"SM"})


def test_who_leads_the_pool_is_told_of_its_leads_before_who_is_their_owners_manager() -> None:
    world = World(changed={"M1": ROSTER["M1"][0].model_copy(update={"manager": "SM"})})
    world.arrives(HOT)
    alert = next(row for row in world.until(at("14:19")) if row.trace.get("step") == "1x:alert_manager")
    assert (alert.owner.id, told(alert, "manager")) == ("M1", {"MM"})


# How and when


def test_who_has_had_a_lead_is_told_that_it_is_gone_unless_it_comes_back_to_them() -> None:
    world = World()
    lead = world.arrives(WARM).lead_id
    (moved,) = world.does(ActivityKind.DECLINED, lead, "M1", at("14:20"))
    assert (told(moved, "owner"), told(moved, "previous_owner")) == ({"M2"}, {"M1"})
    held = World(loads=FULL)
    held.arrives(WARM)
    (given,) = held.roster(ROSTER["M1"][0].model_copy(update={"limit": 60.0}), at("14:20"))
    assert told(given, "previous_owner") == set()


def test_a_reps_own_channels_are_added_to_the_tiers_for_them_alone() -> None:
    world = World(changed={"M1": ROSTER["M1"][0].model_copy(update={"channels": ("teams", "email")})})
    lead = world.arrives(WARM)
    assert notice_to(lead, "owner").channels == ("slack", "email", "teams")
    alert = next(row for row in world.until(at("15:14")) if row.trace.get("step") == "1x:alert_manager")
    assert channels(alert, "manager") == {"slack", "email"}


@pytest.mark.parametrize(
    ("when", "waits_until"),
    [(at("17:59"), None), (at("18:00"), at("09:00", 11)), (at("08:59", 11), at("09:00", 11)), (at("09:00", 11), None)],
)
def test_a_channel_that_waits_for_the_opening_waits_while_the_owner_is_off(
    when: datetime, waits_until: datetime | None
) -> None:
    notice = notice_to(World().arrives(WARM.but(when=when)), "owner")
    assert notice.release_at == ({} if waits_until is None else {"slack": waits_until})


def test_who_is_always_open_waits_for_no_opening() -> None:
    world = World(changed={"M1": ROSTER["M1"][0].model_copy(update={"hours": ALWAYS})})
    night = world.arrives(WARM.but(when=at("02:00")))
    assert (night.owner.id, notice_to(night, "owner").release_at) == ("M1", {})


def with_plan(**plan: Any) -> World:
    lines = ", ".join(f"{key}: {value}" for key, value in {"to": "[owner]", **plan}.items())
    return World(f"{DEFAULT}\nnotices: {{assignment: {{{lines}}}}}\n")


@pytest.mark.parametrize(
    ("digest", "seconds"), [("119m", 119 * 60.0), ("120m", None)], ids=["in time", "when the lead is another's"]
)
def test_news_is_collected_only_where_it_comes_before_the_lead_moves_on(digest: str, seconds: float | None) -> None:
    lead = with_plan(digest=f"{{T2: {digest}}}").arrives(WARM)
    assert notice_to(lead, "owner").digest_seconds == seconds


def test_the_policys_sentence_stands_before_the_reason_of_a_notice() -> None:
    said = [notice_to(world.arrives(WARM), "owner").note for world in (with_plan(note="Call them."), World())]
    assert said == ["Call them.", ""]
    world = World()
    world.arrives(WARM.but(who="a" * 32))
    again = world.arrives(HOT.but(who="a" * 32, touch=2, when=at("14:20")))
    higher = "The same person has come back. A higher tier than before: the clock runs from this submission."
    assert notice_to(again, "owner").note == higher


def test_a_notice_of_a_tier_without_channels_of_its_own_goes_over_the_plans_others() -> None:
    lead = with_plan(channels="{T1: [sms], else: [email]}").arrives(WARM)
    assert notice_to(lead, "owner").channels == ("email",)


@pytest.mark.parametrize(("arrival", "is_urgent"), [(HOT, True), (WARM, False)], ids=["hot", "warm"])
def test_only_notices_of_hot_leads_break_into_quiet_hours(arrival: Arrival, is_urgent: bool) -> None:
    lead = World().arrives(arrival)
    assert notice_to(lead, "owner").urgent is is_urgent
    assert notice_to(lead, "lead").urgent is False


def test_an_owner_without_hours_of_their_own_is_off_by_those_of_the_pool_that_the_rules_would_choose() -> None:
    """17:30 in Chicago: the Southwest's office is open for half an hour yet, New York's has closed."""
    world = World(changed={"E1": ROSTER["E1"][0].model_copy(update={"hours": None})})
    lead = world.arrives(WARM.but(account=ACME, when=at("17:30")))
    assert (lead.owner.id, notice_to(lead, "owner").release_at) == ("E1", {})


def test_a_reminder_at_the_deadline_is_not_over_the_moment_it_is_made() -> None:
    world = World(f"{DEFAULT}\nladder: [{{at: 1x, do: remind_owner}}]\n")
    world.arrives(HOT)
    (reminder,) = world.until(at("14:19"))
    assert notice_to(reminder, "owner").expires_at is None


AROUND_THE_CLOCK = DEFAULT.replace(
    "    clock: owner_hours\n    channels: [slack", "    clock: always\n    channels: [slack", 1
)


@pytest.mark.parametrize(
    ("text", "when", "until"),
    [
        pytest.param(DEFAULT, at("14:14"), at("16:14"), id="at once"),
        pytest.param(DEFAULT, at("18:00"), at("11:00", 11), id="with a channel that waits until 09:00"),
        pytest.param(AROUND_THE_CLOCK, at("06:59"), None, id="a minute before the channel may be used"),
        pytest.param(AROUND_THE_CLOCK, at("07:00"), None, id="the moment the channel may be used"),
        pytest.param(AROUND_THE_CLOCK, at("07:01"), at("09:01"), id="a minute later"),
    ],
)
def test_news_is_of_use_until_a_step_takes_the_lead_unless_a_channel_has_to_wait_for_longer(
    text: str, when: datetime, until: datetime | None
) -> None:
    lead = World(text).arrives(WARM.but(when=when))
    assert (lead.owner.id, notice_to(lead, "owner").expires_at) == ("M1", until)


def test_a_notice_made_in_the_instant_of_a_step_is_not_over_the_moment_it_is_made() -> None:
    world = World(f"{DEFAULT}\nladder: [{{at: 1x, do: move, to: manager}}]\n")
    lead = world.arrives(WARM.but(delay_seconds=3_600))
    assert (lead.at, notice_to(lead, "owner").expires_at) == (at("15:14"), None)


def test_a_queue_without_an_owner_is_told_of_as_nobodys() -> None:
    lead = World(without=("RV", "RM", "SL")).arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    assert (lead.owner.queue, notice_to(lead, "queue").recipients) == ("manual-review", ())


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{assignment: {to: [owner]}}", ["crm", "owner", "previous_owner"]),
        ("{reassigned: {to: []}}", []),
    ],
    ids=["of another event", "that it is told to nobody"],
)
def test_a_plan_that_a_file_writes_leaves_those_of_other_events(written: str, told: list[str]) -> None:
    world = World(f"{DEFAULT}\nnotices: {written}\n")
    lead = world.arrives(WARM).lead_id
    (moved,) = world.does(ActivityKind.DECLINED, lead, "M1", at("14:20"))
    assert (moved.owner.id, sorted(notice.audience for notice in moved.notices)) == ("M2", told)


def test_who_takes_a_lead_that_nobody_had_takes_it_from_nobody() -> None:
    world = World(without=("RV", "RM", "SL"))
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    (claimed,) = world.does(ActivityKind.CLAIMED, lead.lead_id, "M1", at("14:20"))
    assert (claimed.owner.id, told(claimed, "owner"), told(claimed, "previous_owner")) == ("M1", {"M1"}, set())
    assert "previous_owner" not in {notice.audience for notice in claimed.notices}


def test_a_queue_is_told_over_its_own_channels_and_its_manager_over_the_plans() -> None:
    text = DEFAULT.replace("  manual-review:\n", "  manual-review:\n    channels: [teams]\n", 1)
    world = World(text)
    lead = world.arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    assert channels(lead, "queue") == {"teams"}
    alert = next(row for row in world.until(at("16:00")) if told(row, "manager"))
    assert channels(alert, "manager") == {"slack", "email"}
