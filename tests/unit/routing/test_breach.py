"""Why a deadline was missed and whom it is charged to, as the story of the lead tells it (MET-1)."""

from datetime import timedelta

import pytest

from routing.explain import story
from schemas.activity import ActivityKind
from schemas.delivery import Settlement
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at, told

FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
SILENT = "the owner did not act (not_contacted), charged to {}"
UNTOLD = "no channel had reached the owner (notification_failed), charged to nobody"
UNCLAIMED = "nobody of the queue claimed it (unclaimed), charged to nobody"
UNTIL_TOLD = timedelta(hours=18)  # a queue's next decision after the deadline is the one at 3x, the next morning


def told_after(world: World, arrival: Arrival, settled: Settlement | None = None) -> str:
    lead = world.arrives(arrival)
    if settled is not None:
        world.settles(lead, settled, at("14:14:30"))
    assert lead.sla is not None and lead.sla.contact_due_at is not None
    world.until(lead.sla.contact_due_at + UNTIL_TOLD)
    return story([row for row in world.decisions if row.lead_id == lead.lead_id])


@pytest.mark.parametrize(
    ("arrival", "loads", "settled", "cause"),
    [
        (Arrival("lone.example", 450), {}, None, SILENT.format("M1")),
        (
            Arrival("lone.example", 450),
            {},
            Settlement.ALL_FAILED,
            UNTOLD,
        ),
        (
            Arrival("x.example", 450, action="webinar"),
            FULL,
            None,
            SILENT.format("MM"),
        ),
        (
            Arrival("gmail.com", None, mail=MailKind.PERSONAL),
            {},
            None,
            UNCLAIMED,
        ),
    ],
    ids=["a silent rep", "all channels failed", "a team lead who got it for want of room", "a queue nobody looks at"],
)
def test_a_missed_deadline_has_its_cause_in_the_story(
    arrival: Arrival, loads: dict[str, float], settled: Settlement | None, cause: str
) -> None:
    assert f"The deadline was missed: {cause}." in told_after(World(DEFAULT, loads=loads), arrival, settled)


def test_a_lead_that_came_to_its_first_owner_after_the_route_deadline_is_charged_to_leadstream() -> None:
    """A stage was away for an hour: nobody held the lead up but us."""
    late = Arrival("lone.example", 450, delay_seconds=3_600)
    cause = "leadstream brought it too late (leadstream_late), charged to nobody"
    assert f"The deadline was missed: {cause}." in told_after(World(), late)


def test_a_lead_whose_owner_was_not_on_duty_for_a_moment_of_the_window_is_charged_to_nobody() -> None:
    """At night there is no team of the night here: the team lead has it, asleep."""
    away = [rep for rep in ("H1", "H2") if rep in ROSTER]
    world = World(DEFAULT, without=(*away, "HM"))
    night = Arrival("lone.example", 450, when=at("02:00"))
    cause = "nobody who had it was on duty (no_hours), charged to nobody"
    assert f"The deadline was missed: {cause}." in told_after(world, night)


def test_a_reminder_of_an_owner_who_is_away_goes_one_level_up() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450))
    assert lead.owner.id == "M1"
    world.roster(ROSTER["M1"][0].model_copy(update={"status": "sick"}), at("14:15"))
    (reminder,) = world.until(at("14:16:30"))
    assert (told(reminder, "owner"), told(reminder, "manager")) == (set(), {"MM"})
    assert "M1 is away; MM is reminded instead." in story([reminder])


def test_lead_clock_and_owner_clock_stand_side_by_side() -> None:
    """EX-11: the lead has waited for 17 minutes, its second owner for 7."""
    world = World()
    lead = world.arrives(Arrival("silent.example", 450, delay_seconds=3)).lead_id
    world.until(at("14:29"))
    world.does(ActivityKind.CALLED, lead, "M2", at("14:31:10"))
    (told_of,) = [line for line in story(world.decisions).splitlines() if "17 min 10 s since" in line]
    assert "Lead clock: 17 min 10 s since 2026-03-10 19:14:00." in told_of
    assert "Owner clock: 7 min 10 s since 2026-03-10 19:24:00." in told_of


def test_hours_in_which_the_clock_stood_are_told() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, action="webinar", when=at("17:30")))
    assert "Contact is due by 2026-03-11 14:30:00, 15 h of closed hours in it." in story([lead])


def test_a_deadline_that_was_met_has_no_cause() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450))
    assert "missed" not in story([lead])


# The causes one by one, as the lead keeps them

HOT = Arrival("lone.example", 450)  # contact within 5 min around the clock
WARM = HOT.but(action="webinar")  # to be routed within 15 min, contact within 1 h of the owner's hours
TO_S1 = {"to": "S1", "by": "MM", "reason": "knows them"}


def charged(world: World, arrival: Arrival) -> tuple[str | None, str | None]:
    """The cause and whom it is charged to, once the lead's deadline has passed."""
    lead = world.arrives(arrival)
    assert lead.sla is not None and lead.sla.contact_due_at is not None
    world.until(lead.sla.contact_due_at)
    return world.lead(lead.lead_id).breach, world.lead(lead.lead_id).charged_to


@pytest.mark.parametrize(
    ("seconds", "cause"),
    [(900, ("not_contacted", "M1")), (901, ("leadstream_late", None))],
    ids=["at the route deadline", "a second after it"],
)
def test_a_lead_is_late_from_the_second_after_the_route_deadline(seconds: float, cause: tuple[str, str | None]) -> None:
    assert charged(World(), WARM.but(delay_seconds=seconds)) == cause


def test_a_held_lead_that_got_room_after_the_route_deadline_missed_its_own_for_want_of_room() -> None:
    world = World(loads=FULL, without=("MM", "CM", "CA", "SL"))
    lead = world.arrives(WARM).lead_id
    world.until(at("14:40"))
    world.roster(ROSTER["M2"][0].model_copy(update={"limit": 50.0}), at("14:40"))
    assert world.lead(lead).owner.id == "M2"
    world.until(at("15:14"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("no_capacity", None)


def test_a_step_that_took_the_lead_after_the_route_deadline_leaves_the_breach_to_who_had_it_then() -> None:
    more = "\nladder: [{at: 0.5x, do: reassign}]\nsla: {repeat: null, late_window: false}\n"
    assert charged(World(DEFAULT + more), WARM) == ("not_contacted", "M2")


def test_a_lead_given_on_late_in_a_second_cycle_is_charged_to_who_had_it_then() -> None:
    world = World()
    lead = world.arrives(WARM.but(who="a" * 32)).lead_id
    world.does(ActivityKind.CALLED, lead, "M1", at("14:16"))
    world.arrives(WARM.but(who="a" * 32, touch=2, when=at("14:20")))
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:40"), **TO_S1)
    world.until(at("15:20"))
    state = world.lead(lead)
    assert (state.cycle, state.breach, state.charged_to) == (2, "not_contacted", "S1")


@pytest.mark.parametrize(
    ("hours", "cause"),
    [("", "unclaimed"), ("    hours: nights\n", "no_hours")],
    ids=["the division's hours", "closed by day"],
)
def test_a_queue_is_on_duty_in_its_own_hours(hours: str, cause: str) -> None:
    text = DEFAULT.replace("  catch-all:\n", f"  catch-all:\n{hours}").replace("owner_hours", "always")
    assert charged(World(text), HOT.but(country="BR", state=None)) == (cause, None)


def test_who_has_no_hours_is_on_duty_in_those_of_the_pool_that_the_rules_chose() -> None:
    """17:16 in Chicago: the Southwest's office is open, New York's closed at 17:00."""
    world = World(changed={"E1": ROSTER["E1"][0].model_copy(update={"hours": None})})
    lead = world.arrives(HOT.but(when=at("17:15"))).lead_id
    world.does(ActivityKind.REASSIGNED, lead, None, at("17:16"), to="E1", by="MM", reason="knows them")
    world.until(at("17:20"))
    state = world.lead(lead)
    assert (state.owner.id, state.breach, state.charged_to) == ("E1", "not_contacted", "E1")


@pytest.mark.parametrize(
    ("when", "seconds", "cause"),
    [
        pytest.param("17:59:59", 0, ("not_contacted", "M1"), id="a second of the window"),
        pytest.param("17:58", 180, ("no_hours", None), id="the lead came when they had gone"),
    ],
)
def test_on_duty_is_who_had_the_lead_for_a_moment_of_their_hours(
    when: str, seconds: float, cause: tuple[str, str | None]
) -> None:
    world = World(without=("H1", "H2", "HM"))
    assert charged(world, HOT.but(when=at(when), delay_seconds=seconds)) == cause


@pytest.mark.parametrize(("to", "owner"), [("S1", "S1"), ("nurture", None)])
def test_who_gets_a_lead_after_its_deadline_is_not_charged_with_it(to: str, owner: str | None) -> None:
    """The wake-up of 14:19 comes late; the manager has acted before it."""
    world = World()
    lead = world.arrives(HOT).lead_id
    late = world.wakes.pop(f"lead/{lead}")
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:25"), **TO_S1 | {"to": to})
    world.fire(f"lead/{lead}", at("14:26"), dict(late.data))
    state = world.lead(lead)
    assert (state.owner.id, state.breach, state.charged_to) == (owner, "not_contacted", "M1")


@pytest.mark.parametrize("to", ["S1", "nurture"])
def test_a_lead_that_was_contacted_in_time_and_is_moved_after_its_deadline_is_no_breach(to: str) -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.does(ActivityKind.CALLED, lead, "M1", at("14:18"))
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:25"), **TO_S1 | {"to": to})
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == (None, None)


def test_an_owner_whose_lead_came_back_is_charged_by_the_hours_since_then() -> None:
    """M1 had the lead by day; it comes back at 02:00, when they sleep, and this policy wakes nobody for it."""
    world = World(DEFAULT.replace("    when_off_shift: after_hours\n", ""))
    again = HOT.but(who="a" * 32)
    lead = world.arrives(again).lead_id
    world.does(ActivityKind.CALLED, lead, "M1", at("14:16"))
    world.until(at("02:00", 11))
    world.arrives(again.but(touch=2, when=at("02:00", 11)))
    world.until(at("02:05", 11))
    state = world.lead(lead)
    assert (state.owner.id, state.cycle, state.breach, state.charged_to) == ("M1", 2, "no_hours", None)


def test_who_has_no_hours_is_on_duty_day_and_night_but_not_for_a_lead_that_came_at_its_deadline() -> None:
    everyone = {"M1": ROSTER["M1"][0].model_copy(update={"hours": None})}
    text = DEFAULT.replace("hours: office\n", "").replace("    hours: southwest\n", "")
    for seconds, cause in ((299, ("not_contacted", "M1")), (300, ("no_hours", None))):
        assert charged(World(text, changed=everyone), HOT.but(when=at("22:00"), delay_seconds=seconds)) == cause


def test_a_lead_that_had_room_in_time_and_changed_hands_later_is_charged_to_who_has_it() -> None:
    world = World()
    lead = world.arrives(WARM).lead_id
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:40"), **TO_S1)
    world.until(at("15:14"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("not_contacted", "S1")


def test_a_lead_held_in_time_and_moved_by_hand_later_is_charged_to_who_has_it() -> None:
    world = World(loads=FULL)
    lead = world.arrives(WARM).lead_id
    (given,) = world.roster(ROSTER["M2"][0].model_copy(update={"limit": 50.0}), at("14:20"))
    assert (given.lead_id, given.owner.id) == (lead, "M2")
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:40"), **TO_S1)
    world.until(at("15:14"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("not_contacted", "S1")


def test_a_lead_claimed_from_a_queue_after_the_route_deadline_is_charged_to_who_claimed_it() -> None:
    world = World()
    lead = world.arrives(HOT.but(country="BR", state=None)).lead_id
    world.does(ActivityKind.CLAIMED, lead, "S1", at("14:40"))
    world.until(at("15:14"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("not_contacted", "S1")


def test_a_lead_that_found_no_room_until_too_late_stays_so_whoever_it_is_moved_to() -> None:
    world = World(loads=FULL, without=("MM", "CM", "CA", "SL"))
    lead = world.arrives(WARM).lead_id
    world.roster(ROSTER["M2"][0].model_copy(update={"limit": 50.0}), at("14:40"))
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:50"), **TO_S1)
    world.until(at("15:14"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("no_capacity", None)
