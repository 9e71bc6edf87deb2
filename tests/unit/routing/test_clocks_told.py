"""What a story says of the clocks of a lead: since when they run, what is due, what was missed."""

from datetime import timedelta
from typing import Any

from routing.explain import story
from schemas.decision import SlaStanding, SlaStep
from tests.lab.decisions import NOW, decision

DUE = NOW + timedelta(minutes=5)
REMIND = SlaStep(name="remind", do="remind", due_at=NOW + timedelta(minutes=2), done_at=NOW + timedelta(minutes=2))
ALERT = SlaStep(name="alert", do="alert_manager", due_at=DUE)
MOVE = SlaStep(name="move", do="reassign", due_at=NOW + timedelta(minutes=9))


def told(*, after: timedelta = timedelta(0), **standing: Any) -> list[str]:
    """The lines on the clocks: what the story of such a decision has between its notice and its policy."""
    sla = SlaStanding(**({"cycle": 1, "clock_at": NOW, "contact_due_at": DUE} | standing))
    lines = [line.strip() for line in story([decision(at=NOW + after, sla=sla)]).splitlines()]
    notice = lines.index("Tells M1 by email: assignment.")
    assert lines[-1] == "Decided by policy abcd, epoch 1, because of lead.scored."
    return lines[notice + 1 : -1]


def test_a_deadline_to_come_is_told_with_both_clocks_and_the_first_step_not_done() -> None:
    lines = told(after=timedelta(minutes=3), owned_at=NOW + timedelta(minutes=1), steps=(REMIND, ALERT, MOVE))
    assert lines == [
        "Contact is due by 2026-03-10 14:19:00.",
        "Lead clock: 3 min since 2026-03-10 14:14:00. Owner clock: 2 min since 2026-03-10 14:15:00.",
        "Next step: alert_manager at 2026-03-10 14:19:00.",
    ]


def test_closed_hours_within_a_deadline_are_told() -> None:
    assert told(paused_seconds=3_660.0)[0] == "Contact is due by 2026-03-10 14:19:00, 1 h 1 min of closed hours in it."


def test_without_owner_steps_or_deadline_only_the_clock_of_the_lead_is_told() -> None:
    assert told(contact_due_at=None) == ["Lead clock: 0 s since 2026-03-10 14:14:00. Owner clock: no owner."]


def test_after_contact_its_instant_is_told_and_no_step_to_come() -> None:
    contacted = {"contacted_at": NOW + timedelta(seconds=130), "owned_at": NOW, "steps": (ALERT,)}
    assert told(after=timedelta(hours=1), **contacted) == [
        "Contact at 2026-03-10 14:16:10, 2 min 10 s after the clock started.",
        "Lead clock: 2 min 10 s since 2026-03-10 14:14:00. Owner clock: 2 min 10 s since 2026-03-10 14:14:00.",
    ]


def test_while_activity_is_behind_a_due_step_is_told_as_held_and_one_to_come_as_next() -> None:
    behind = "Activity was behind at this moment: somebody may have made contact already."
    held = told(after=timedelta(minutes=5), is_unverified=True, steps=(ALERT,))
    assert held[-2:] == ["Held step: alert_manager at 2026-03-10 14:19:00.", behind]
    coming = told(after=timedelta(minutes=4), is_unverified=True, steps=(ALERT,))
    assert coming[-2:] == ["Next step: alert_manager at 2026-03-10 14:19:00.", behind]
    due = told(after=timedelta(minutes=6), steps=(ALERT,))
    assert due[-1] == "Next step: alert_manager at 2026-03-10 14:19:00."


def test_a_missed_deadline_is_told_with_whom_it_is_charged_to() -> None:
    charged = told(breach="not picked up", breach_charged_to="M1")
    assert charged[-1] == "The deadline was missed: not picked up, charged to M1."
    assert told(breach="nobody was there")[-1] == "The deadline was missed: nobody was there, charged to nobody."
