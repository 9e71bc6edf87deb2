from datetime import datetime, timedelta

import pytest

from notifiers.delivery import Ledger, due, opened, wakes_at
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.settling import Step, advanced, back_off_seconds
from schemas.decision import Audience
from schemas.delivery import Outcome
from tests.lab.decisions import NOW, decision, notice

SETTINGS = ChannelSettings(fallback=())
SECOND = timedelta(seconds=1)


def tried(result: Try, at: datetime = NOW, **more: object) -> Attempt:
    return Attempt(result, at, **more)  # type: ignore[arg-type]


def moved(ledger: Ledger, now: datetime, settings: ChannelSettings = SETTINGS, **by_channel: Attempt) -> Step:
    attempts = {row.key: by_channel[row.channel] for row in ledger.rows if row.channel in by_channel}
    return advanced(ledger, attempts, settings, now)


def test_only_the_first_acknowledged_channel_of_the_owner_is_first() -> None:
    ledger = opened(decision(notice(channels=("email", "slack", "push"))), SETTINGS, NOW)
    step = moved(
        ledger,
        NOW + 3 * SECOND,
        email=tried(Try.DELIVERED, NOW + 2 * SECOND),
        slack=tried(Try.DELIVERED, NOW + SECOND),
        push=tried(Try.REFUSED, NOW),
    )
    assert [(s.channel, s.outcome, s.is_first) for s in step.settled] == [
        ("push", Outcome.FAILED, False),
        ("slack", Outcome.DELIVERED, True),
        ("email", Outcome.DELIVERED, False),
    ]
    assert wakes_at(step.ledger) is None


def test_a_failed_try_backs_off_and_a_put_off_one_does_not_count() -> None:
    ledger = opened(decision(notice(channels=("email", "slack"))), SETTINGS, NOW)
    step = moved(ledger, NOW, email=tried(Try.LATER, reason="x"), slack=tried(Try.WAITING, after_seconds=2.0))
    assert step.settled == ()
    assert [(row.tries, row.waits) for row in step.ledger.rows] == [(1, 0), (0, 1)]
    assert all(row.next_at > NOW for row in step.ledger.rows)
    assert due(step.ledger, NOW) == ()


def test_what_the_other_side_asks_to_wait_is_waited() -> None:
    ledger = opened(decision(), SETTINGS, NOW)
    step = moved(ledger, NOW, email=tried(Try.LATER, after_seconds=17.0))
    assert NOW + 17 * SECOND <= step.ledger.rows[0].next_at <= NOW + 19 * SECOND


def test_a_try_that_may_have_arrived_is_remembered() -> None:
    ledger = opened(decision(), SETTINGS, NOW)
    step = moved(ledger, NOW, email=tried(Try.LATER, may_have_arrived=True))
    again = moved(step.ledger, NOW + 60 * SECOND, email=tried(Try.LATER))
    assert again.ledger.rows[0].may_have_arrived


def test_a_delivery_out_of_time_fails_if_it_was_tried_and_expires_if_not() -> None:
    ends = NOW + timedelta(minutes=5)
    ledger = opened(decision(notice(channels=("email", "slack"), expires_at=ends)), SETTINGS, NOW)
    step = moved(ledger, NOW, email=tried(Try.LATER, reason="down"), slack=tried(Try.WAITING, after_seconds=400.0))
    end = moved(step.ledger, ends)
    assert [(s.channel, s.outcome, s.reason) for s in end.settled[:2]] == [
        ("email", Outcome.FAILED, "down"),
        ("slack", Outcome.EXPIRED, "its time ran out"),
    ]


def test_when_all_channels_of_the_owner_failed_it_is_said_at_once_and_once() -> None:
    ledger = opened(decision(notice(channels=("email", "slack"))), SETTINGS, NOW)
    step = moved(ledger, NOW, email=tried(Try.REFUSED, reason="a"), slack=tried(Try.REFUSED, reason="b"))
    assert [(s.channel, s.all_failed) for s in step.settled] == [("email", False), ("slack", False), ("all", True)]
    assert step.settled[-1].reason == "no channel acknowledged; email: a; slack: b"
    assert moved(step.ledger, NOW + timedelta(minutes=1)).settled == ()


def test_an_acknowledgment_in_time_raises_no_alarm() -> None:
    ledger = opened(decision(notice(channels=("email", "slack"))), SETTINGS, NOW)
    step = moved(ledger, NOW, email=tried(Try.DELIVERED), slack=tried(Try.LATER))
    late = moved(step.ledger, NOW + timedelta(seconds=40), slack=tried(Try.REFUSED))
    assert not any(s.all_failed for s in (*step.settled, *late.settled))


def test_a_managers_failed_alert_is_no_alarm_of_its_own() -> None:
    alert = notice(id="alert", audience=Audience.MANAGER, recipients=("MM",))
    step = moved(opened(decision(alert), SETTINGS, NOW), NOW, email=tried(Try.REFUSED))
    assert [s.all_failed for s in step.settled] == [False]


def test_a_failed_recipient_is_tried_on_the_next_channel() -> None:
    settings = ChannelSettings(fallback=("email", "sms", "in_app"))
    ledger = opened(decision(notice(channels=("slack", "email"))), settings, NOW)
    step = moved(ledger, NOW, settings, slack=tried(Try.REFUSED), email=tried(Try.REFUSED))
    assert [(row.channel, row.settled) for row in step.ledger.rows] == [
        ("slack", Outcome.FAILED),
        ("email", Outcome.FAILED),
        ("sms", None),
    ]
    assert not any(s.all_failed for s in step.settled)
    last = moved(step.ledger, NOW + SECOND, settings, sms=tried(Try.DELIVERED, NOW + SECOND))
    assert [(s.channel, s.is_first) for s in last.settled] == [("sms", True)]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100])
def test_back_off_doubles_up_to_its_cap_and_half_of_it_is_spread(count: int) -> None:
    full = min(30.0, 2.0 ** (count - 1))
    waits = {back_off_seconds(f"key-{n}", count, SETTINGS) for n in range(200)}
    assert full / 2 <= min(waits) < full * 0.6
    assert full * 0.9 < max(waits) <= full


def test_the_order_of_attempts_changes_nothing() -> None:
    ledger = opened(decision(notice(channels=("email", "slack"))), SETTINGS, NOW)
    attempts = {row.key: tried(Try.LATER, reason=row.channel) for row in ledger.rows}
    backwards = dict(reversed(attempts.items()))
    assert advanced(ledger, attempts, SETTINGS, NOW) == advanced(ledger, backwards, SETTINGS, NOW)
