"""What the pages show, from rows alone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from routing.pool_state import PoolState, Turn
from schemas.account import STALE_AFTER, Account
from schemas.decision import DecisionKind, Owner, OwnerKind
from schemas.delivery import Outcome
from schemas.lead import Company
from schemas.policy import PolicyBody, PolicyPointer
from schemas.rep import Backup, Rep
from streams.board.fold import fold
from streams.board.store import Store
from streams.board.views.flags import Flag, flags
from streams.board.views.funnel import funnel
from streams.board.views.leads import at_risk, backlog, found, in_app, missed
from streams.board.views.people import deviation_of
from streams.board.views.story import chapters, readable
from streams.board.web.rendering import countdown, percent, span, zone_of
from tests.unit.streams.board.decisions import AT, decided, seen, settled, standing

NOW = AT + timedelta(minutes=10)


class Shown:
    """A store that takes values in, and shows views."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.offset = 0

    def take(self, *values: Any, topic: str | None = None, key: str = "") -> "Shown":
        records = seen(values, first=self.offset, topic=topic, key=key)
        with self.store.writing() as connection:
            fold(connection, records, self.store.positions())
        self.offset += len(values)
        return self

    def __call__(self, view: Any, *given: Any) -> Any:
        with self.store.reading() as connection:
            return view(connection, *given)

    def policy(self, text: str) -> "Shown":
        body = PolicyBody(hash="p1", division="main", text=text, published_at=AT, published_by="ops")
        self.take(body, topic="policies", key="p1")
        pointer = PolicyPointer(division="main", hash="p1", activated_at=AT)
        return self.take(pointer, topic="policies", key="active/main")


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    store = Store(tmp_path / "board.sqlite")
    yield Shown(store)
    store.close()


def kinds(found: Any) -> list[str]:
    return [flag.kind for flag in (*found.live, *found.setup)]


def test_an_empty_board_shows_nothing_and_breaks_nowhere(shown: Shown) -> None:
    day = shown(funnel, AT, NOW)
    assert (day.counts, day.in_time, day.to_owner) == ({"arrived": 0}, None, None)
    assert kinds(shown(flags, NOW)) == []
    assert shown(at_risk, NOW).overdue_count == 0
    assert shown(backlog).queues == {}


def test_the_funnel_follows_the_leads_of_a_day(shown: Shown) -> None:
    shown.take(*[decided(number=n) for n in (1, 2, 3, 4)])
    shown.take(settled(decided(number=1)), settled(decided(number=2)))
    shown.take(decided(DecisionKind.CONTACTED, 1, 60, sla=standing(contacted_at=AT + timedelta(seconds=60))))
    shown.take(decided(DecisionKind.ESCALATED, 2, 301, sla=standing(breach="not_contacted")))
    day = shown(funnel, AT, NOW)
    assert [day.counts[step] for step in ("arrived", "placed", "told", "contacted")] == [4, 4, 2, 1]
    assert (day.share("told"), day.in_time, day.to_owner, day.to_contact) == (0.5, 0.5, 1.0, 60.0)
    assert (sum(day.arrived), sum(day.contacted), len(day.minutes)) == (4, 1, 60)
    assert shown(funnel, AT + timedelta(minutes=1), NOW).counts["arrived"] == 0


def test_at_risk_is_by_deadline_and_ends_with_contact(shown: Shown) -> None:
    shown.take(*[decided(number=n, sla=standing(AT + timedelta(minutes=n))) for n in (1, 7, 200)])
    shown.take(decided(DecisionKind.CONTACTED, 9, 60, sla=standing(contacted_at=AT)))
    risk = shown(at_risk, NOW)
    assert (risk.overdue_count, risk.soon_count, risk.later_count) == (1, 1, 1)
    assert risk.overdue[0].lead.lead_id == decided(number=1).lead_id


def test_the_backlog_is_by_queue_and_pool(shown: Shown) -> None:
    queue = Owner(kind=OwnerKind.QUEUE, id="q-1", queue="review")
    held = Owner(kind=OwnerKind.TEAM_LEAD, id="m-1", pool="pool-1")
    shown.take(decided(DecisionKind.QUEUED, 1).model_copy(update={"owner": queue}))
    shown.take(decided(DecisionKind.HELD, 2).model_copy(update={"owner": held}))
    waiting = shown(backlog)
    assert (list(waiting.queues), len(waiting.held)) == (["review"], 1)


def test_search_finds_companies_people_and_ids_and_treats_signs_as_text(shown: Shown) -> None:
    shown.take(decided(), decided(number=2, contact=None, company=Company(name="50%_Off Ltd", domain="off.example")))
    for words in ("acme", "ACME byron", "ada@acme", decided().lead_id):
        assert [one.lead.company for one in shown(found, words)][-1] == "Acme"
    assert [one.lead.company for one in shown(found, "50%_")] == ["50%_Off Ltd"]
    assert shown(found, "   ") == ()
    shown.take(decided(DecisionKind.CLOSED, 1, 90, None, sla=None))
    assert [one.lead.company for one in shown(found, "acme acme.example")] == ["Acme"]
    assert decided().lead_id not in [one.lead.lead_id for one in shown(found, "byron")]


def test_in_app_notices_are_those_of_the_person(shown: Shown) -> None:
    first, second = decided(number=1, owner="r-1"), decided(number=2, owner="r-2")
    shown.take(first, second)
    shown.take(*[settled(one, channel="in_app", is_first=False) for one in (first, second)])
    assert [one.recipient for one in shown(in_app, "r-1")] == ["r-1"]
    assert len(shown(in_app, None)) == 2


def test_a_missed_deadline_keeps_its_cause(shown: Shown) -> None:
    shown.take(decided(sla=standing(breach="no_capacity")))
    assert [(one.lead.breach, one.lead.breached_at) for one in shown(missed)] == [
        ("no_capacity", AT + timedelta(minutes=5))
    ]


def test_a_lead_has_one_flag_the_gravest(shown: Shown) -> None:
    shown.take(Rep(id="r-1", name="Ada", active=False), topic="reps", key="r-1")
    shown.take(
        decided(owner="r-1", sla=standing(breach="not_contacted")),
        *[decided(DecisionKind.REASSIGNED, 1, seconds, owner) for seconds, owner in ((60, "r-2"), (90, "r-1"))],
    )
    assert kinds(shown(flags, NOW)) == ["owner inactive"]


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (lambda s: s.take(decided(owner=None)), "no owner"),
        (lambda s: s.take(decided(sla=standing(breach="not_contacted"))), "missed, owner never told"),
        (
            lambda s: s.take(
                decided(),
                decided(DecisionKind.REASSIGNED, 1, 60, "r-2"),
                decided(DecisionKind.REASSIGNED, 1, 90, "r-3"),
            ),
            "handed on repeatedly",
        ),
    ],
    ids=["nobody owns it", "a breach nobody was told of", "two moves in a day"],
)
def test_a_lead_is_flagged(shown: Shown, build: Any, kind: str) -> None:
    build(shown)
    assert kinds(shown(flags, AT + timedelta(minutes=20))) == [kind]


def test_a_lead_that_moved_twice_long_ago_is_no_flag(shown: Shown) -> None:
    shown.take(
        decided(), decided(DecisionKind.REASSIGNED, 1, 60, "r-2"), decided(DecisionKind.REASSIGNED, 1, 90, "r-3")
    )
    assert kinds(shown(flags, AT + timedelta(days=2))) == []


def test_accounts_and_people_that_are_gone_are_flagged(shown: Shown) -> None:
    shown.take(Rep(id="r-1", name="Ada", manager="m-gone", backups=(Backup(rep="b-gone"),)), topic="reps", key="r-1")
    named = {"is_named": True, "name": "Big"}
    shown.take(Account(domain="a.example", owner="x-gone", **named), topic="accounts", key="a.example")
    for domain, quiet in (("b.example", STALE_AFTER + timedelta(days=2)), ("c.example", STALE_AFTER)):
        account = Account(domain=domain, owner="r-1", last_activity_at=NOW - quiet, **named)
        shown.take(account, topic="accounts", key=domain)
    raised: list[Flag] = list(shown(flags, NOW).setup)
    assert sorted((flag.kind, flag.what) for flag in raised) == [
        ("ghost user", "b-gone"),
        ("ghost user", "m-gone"),
        ("stale account", "Big"),
        ("stale account", "Big"),
    ]
    assert raised[1].cause == "Nothing has happened with it for 92 days; 90 are the limit."


def test_rules_and_pools_of_the_policy_are_watched(shown: Shown) -> None:
    shown.policy(Path("streams/demo/policy.yaml").read_text())
    old = AT - timedelta(days=40)
    shown.take(decided(number=1, arrived=old, rule="mid-market"))
    for n in range(2, 14):
        shown.take(
            decided(number=n, rule="account owner"),
            decided(DecisionKind.REASSIGNED, n, 60, "r-2", rule="account owner"),
        )
    raised = shown(flags, NOW + timedelta(days=2)).setup
    assert {flag.what for flag in raised if flag.kind == "rule overruled"} == {"Rule account owner"}
    unused = {flag.what for flag in raised if flag.kind == "rule unused"}
    assert "Rule mid-market" in unused
    assert "Rule account owner" not in unused
    assert len([flag for flag in raised if flag.kind == "empty pool"]) == 5


def test_a_fall_of_enrichment_is_flagged(shown: Shown) -> None:
    known = Company(name="A", domain="a.example", employees=10, industry="saas", country="US")
    before, now = AT - timedelta(days=10), AT
    shown.take(*[decided(number=n, arrived=before, company=known) for n in range(20)])
    shown.take(*[decided(number=n, arrived=now, company=Company(name="A", domain="a.example")) for n in range(20, 40)])
    (flag,) = shown(flags, NOW).setup
    assert (flag.kind, "25% were known this week, 100% before" in flag.cause) == ("coverage drop", True)


@pytest.mark.parametrize(
    ("turn", "deviation"),
    [
        (Turn(start=0, base=300, weight=100), -1.0),
        (Turn(start=3, base=300, weight=100), 0.0),
        (Turn(start=6, base=300, weight=100), 1.0),
        (Turn(start=1, base=150, weight=150, is_seated=False), -1.0),
    ],
    ids=["owed one", "even", "one ahead", "away, and owed one"],
)
def test_fairness_is_turns_received_less_those_entitled_to(turn: Turn, deviation: float) -> None:
    assert deviation_of(turn, PoolState(level=3, base=300)) == pytest.approx(deviation)


def test_a_story_has_names_and_the_viewers_times() -> None:
    zone = ZoneInfo("America/New_York")
    (chapter,) = chapters([decided(owner="r-1")], {"r-1": "Ada Reyes"}, zone)
    assert chapter.says == "It was assigned to Ada Reyes. A mid-market company goes to its team."
    assert "Contact is due by 14:19:00 on 10 Mar." in chapter.details
    assert readable("r-1. r-10, at 2026-01-01 05:00:00", {"r-1": "Ada"}, zone) == "Ada. r-10, at 00:00:00 on 1 Jan"
    late = "No contact by r-1 2x after the clock started."
    assert readable(late, {"r-1": "Ada"}, zone) == "No contact by Ada within twice the time allowed."
    assert readable("Unclaimed 3x after the clock started.", {}, zone) == "Unclaimed within 3 times the time allowed."
    assert chapters([], {}, zone) == []


def test_values_read_as_people_say_them() -> None:
    assert [countdown(n) for n in (249, -5, 8045, 260_000)] == ["4:09 left", "0:05 late", "2:14:05 left", "3 days left"]
    assert [span(n) for n in (0.42, 12, 245, 3_000, 7_800, 260_000)] == [
        "0.4 s", "12 s", "4 min 5 s", "50 min", "2 h 10 min", "3 days"
    ]  # fmt: skip
    assert [percent(n) for n in (None, 0.834, 0.999, 1)] == ["\u2013", "83%", "99%", "100%"]
    assert [zone_of(name).key for name in ("Asia/Tokyo", "Nowhere", "../etc/passwd", "", None)] == [
        "Asia/Tokyo", "UTC", "UTC", "UTC", "UTC"
    ]  # fmt: skip


def test_delivery_outcomes_other_than_delivered_are_no_notice(shown: Shown) -> None:
    shown.take(decided(), settled(decided(), channel="in_app", outcome=Outcome.FAILED, is_first=False))
    assert shown(in_app, None) == []
