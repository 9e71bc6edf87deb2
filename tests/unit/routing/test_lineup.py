"""A pool kept between decisions: when a pass over it is spared, and that each decision is as with one."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from routing.candidates import Survey, Wanted, survey
from routing.decide import DecisionInput, decide
from routing.docket import Docket
from routing.journal import canonical
from routing.lineup import NOT_THEIR_TURN, spot_of, unnamed
from routing.pool_state import LEVEL_LIMIT, Turn, pool_key, turn_key
from routing.replay import Memory
from routing.seats import Seat, Seats
from routing.strategies.candidate import Candidate
from schemas.activity import ActivityBound, ActivityKind
from schemas.decided import Decided
from schemas.policy_pool import Pool
from schemas.rep import Absence, Caps, Hours, Rep, RepChanged
from tests.worked.world import DEFAULT, ROSTER, WEEK, Arrival, World, at, person

POOL = "mm-southwest"
TEAM = tuple(rep for rep, (row, _) in ROSTER.items() if row.team == POOL and row.role == "ae")
CATCHING_UP = DEFAULT + "\noptions: {vacation_catch_up: true}\n"
CAPPED = DEFAULT.replace("  mm-southwest:\n", "  mm-southwest:\n    caps: {day: 3}\n", 1)
AE = {"R0": person("R0", POOL), "R1": person("R1", POOL), "R2": person("R2", POOL)}


@dataclass
class Beside:
    """Each lead decided twice on one state: with what is kept of the pool, and by a pass over it."""

    passes: list[str]
    policy_text: str = DEFAULT
    reps: dict[str, Rep] = field(default_factory=lambda: AE)

    def __post_init__(self) -> None:
        self.world = World(self.policy_text, without=TEAM)
        for rep in self.reps.values():
            self.world.roster(rep)
        self.state: Memory = self.world.state
        self.seats = Seats()

    def lead(self, wall: str = "14:14", **more: Any) -> tuple[str | None, bool]:
        """Return whom a lead goes to, and whether that took a pass over the pool."""
        value = Arrival(**{"action": "webinar", "when": at(wall)} | more).scored(self.world, self.world.policy)
        event = DecisionInput(f"e{self.world.persons}", value.model_copy(update={"contact": None}))
        whole = decide(self.state, event, self.world.policy, at(wall))
        self.passes.clear()
        kept = decide(self.state, event, self.world.policy, at(wall), self.seats)
        (row,), (other,) = ([one.value for one in made if isinstance(one, Decided)] for made in (kept, whole))
        assert canonical(row.trace) == canonical(other.trace)
        assert row.owner == other.owner
        self.state.fold(kept)
        return row.owner.id, POOL in self.passes

    def leads(self, number: int, wall: str = "14:14") -> list[bool]:
        return [self.lead(wall)[1] for _ in range(number)]

    def changes(self, rep: Rep, now: datetime) -> None:
        changed = RepChanged(rep_id=rep.id, division="main", rep=rep, at=now)
        self.state.fold(decide(self.state, DecisionInput("change", changed), self.world.policy, now, self.seats))

    def opens(self, rep: str, name: str, stage: str) -> None:
        opened = ActivityBound(
            kind=ActivityKind.OPPORTUNITY_CHANGED,
            at=at("14:14"),
            learned_at=at("14:14"),
            division="main",
            opportunity_id=name,
            rep=rep,
            stage=stage,
        )
        self.state.fold(decide(self.state, DecisionInput(name, opened), self.world.policy, at("14:14"), self.seats))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def counted(docket: Docket, name: str, pool: Pool, wanted: Wanted) -> Survey:
        made.append(name)
        return survey(docket, name, pool, wanted)

    monkeypatch.setattr("routing.pool_chain.survey", counted)
    return made


def test_once_all_are_seated_no_lead_takes_a_pass_until_the_shift_ends(passes: list[str]) -> None:
    beside = Beside(passes)
    assert beside.leads(5) == [True, True, False, False, False]
    assert beside.lead("17:59")[1] is False
    assert beside.lead("18:00")[1] is True


def test_a_cap_that_is_reached_is_looked_at_again_when_its_hour_is_over(passes: list[str]) -> None:
    capped = AE["R0"].model_copy(update={"caps": Caps(hour=1)})
    beside = Beside(passes, reps=AE | {"R0": capped})
    before = [beside.lead("14:59:30") for _ in range(6)]
    assert [rep for rep, _ in before].count("R0") == 1
    assert before[-1][1] is False
    after = [beside.lead("15:00") for _ in range(4)]
    assert after[0][1] is True
    assert [rep for rep, _ in after].count("R0") == 1


def test_who_goes_home_before_the_pool_does_gets_no_more_leads(passes: list[str]) -> None:
    hours = Hours(timezone="America/Chicago", week=dict.fromkeys(WEEK, (("09:00", "16:00"),)))
    beside = Beside(passes, reps=AE | {"R0": AE["R0"].model_copy(update={"hours": hours})})
    assert beside.leads(3, "15:59") == [True, True, False]
    after = [beside.lead("16:00") for _ in range(3)]
    assert after[0][1] is True
    assert {rep for rep, _ in after} == {"R1", "R2"}


def test_who_begins_their_leave_gets_no_more_leads(passes: list[str]) -> None:
    away = Absence(start=at("15:00"), until=at("16:00"))
    beside = Beside(passes, reps=AE | {"R0": AE["R0"].model_copy(update={"absences": (away,)})})
    assert beside.leads(3) == [True, True, False]
    during = [beside.lead("15:00") for _ in range(3)]
    assert during[0][1] is True
    assert {rep for rep, _ in during} == {"R1", "R2"}
    assert beside.lead("16:00")[1] is True


def test_leads_that_take_no_turn_leave_what_is_kept_as_it_is(passes: list[str]) -> None:
    beside = Beside(passes)
    beside.leads(3)
    assert [beside.lead(is_test=True)[1], beside.lead(is_test=True)[1], beside.lead()[1]] == [True, False, False]


@pytest.mark.parametrize(("beyond", "is_passed"), [(0, False), (1, True)])
def test_at_the_end_of_the_clock_of_turns_it_is_read_anew(passes: list[str], beyond: int, is_passed: bool) -> None:
    beside = Beside(passes)
    key = pool_key("main", POOL)
    beside.leads(3)
    before = beside.state.values[key]
    beside.leads(1)
    known = beside.state.values[key]
    step = known.level - before.level
    beside.state.values[key] = replace(known, level=LEVEL_LIMIT - step + beyond)
    assert beside.leads(1) == [is_passed]


def test_over_a_base_that_is_rounded_who_is_released_at_the_end_of_a_turn_is_owed_nothing_of_it(
    passes: list[str],
) -> None:
    beside = Beside(passes)
    beside.leads(3)
    values, finer = beside.state.values, 1 << 40
    pool = values[pool_key("main", POOL)]
    values[pool_key("main", POOL)] = replace(pool, level=pool.level * finer, base=pool.base * finer)
    for rep in AE:
        turn = values[turn_key("main", POOL, rep)]
        values[turn_key("main", POOL, rep)] = replace(turn, start=turn.start * finer, base=turn.base * finer)
    beside.seats = Seats()
    assert beside.leads(4) == [True, False, False, False]


def test_of_those_who_cannot_have_a_lead_as_many_are_named_as_of_a_pass(
    passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("lineup", "trace"):
        monkeypatch.setattr(f"routing.{module}.NAMED", 3)
    sick = {f"R{number}": person(f"R{number}", POOL, status="sick") for number in range(3, 7)}
    beside = Beside(passes, reps=AE | sick)
    assert beside.leads(3) == [True, True, False]
    fewer = Beside(passes, reps={"R0": AE["R0"], "R1": AE["R1"], **sick})
    assert fewer.leads(3) == [True, True, False]


def test_a_pool_with_a_cap_of_its_own_is_asked_each_time(passes: list[str]) -> None:
    beside = Beside(passes, CAPPED)
    owners = [beside.lead() for _ in range(5)]
    assert [is_passed for _, is_passed in owners] == [True] * 5
    assert [rep in AE for rep, _ in owners] == [True, True, True, False, False]


def test_while_somebody_on_leave_goes_on_being_owed_turns_each_takes_a_pass(passes: list[str]) -> None:
    beside = Beside(passes, CATCHING_UP)
    beside.leads(4)
    beside.changes(AE["R0"].model_copy(update={"status": "sick"}), at("14:14"))
    assert beside.leads(4) == [True] * 4


def test_a_clock_of_turns_over_another_base_is_read_anew(passes: list[str]) -> None:
    beside = Beside(passes)
    beside.leads(3)
    key = pool_key("main", POOL)
    known = beside.state.values[key]
    beside.state.values[key] = replace(known, level=known.level * 2, base=known.base * 2)
    assert beside.leads(1) == [True]


@pytest.mark.parametrize(
    "turn",
    [None, Turn(600, 600, 100, is_seated=False), Turn(600, 600, 50)],
    ids=["none yet", "not eligible before", "of another weight"],
)
def test_nobody_stands_where_their_turn_does_not_say(turn: Turn | None) -> None:
    seat: Any = Seat("a", None, None, None, False, None, Candidate("a", 100, 0, 4000), turn)
    assert spot_of(seat, 100, 600, by_load=False) is None


def test_who_goes_unnamed_is_counted_by_reason_and_nobody_is_no_row() -> None:
    assert unnamed(0, []) == {}
    assert unnamed(2, ["full", "absent", "full"]) == {NOT_THEIR_TURN: 2, "full": 2, "absent": 1}


ASKS = DEFAULT.replace(
    "    strategy: weighted", "    require: [{rep: languages, fact: lead.language}]\n    strategy: weighted"
)


def test_leads_that_only_some_can_take_and_leads_for_all_come_in_turn(passes: list[str]) -> None:
    """A lead for one seats or unseats the others: what was kept for the other kind of lead holds no longer."""
    beside = Beside(passes, ASKS, AE | {"R2": AE["R2"].model_copy(update={"languages": ("de",)})})
    kinds = [None, None, None, "de", "de", "de", None, "de", None, None, None]
    owners = [beside.lead(language=language) for language in kinds]
    assert {owner for (owner, _), language in zip(owners, kinds, strict=True) if language} == {"R2"}
    assert [is_passed for _, is_passed in owners[5:9]] == [False, True, True, True]
    assert owners[-1][1] is False


def test_who_is_full_and_gets_fuller_spares_the_next_lead_no_less_a_pass(passes: list[str]) -> None:
    beside = Beside(passes, reps=AE | {"R0": AE["R0"].model_copy(update={"limit": 1.0})})
    beside.opens("R0", "first", "mid")
    assert beside.leads(3)[-1] is False
    beside.opens("R0", "second", "early")
    assert beside.lead()[1] is False


def test_what_is_kept_is_made_anew_after_a_decision_that_was_made_without_it(passes: list[str]) -> None:
    """As where another process had the division for a while: R0 is away by now, and nobody told what is kept here."""
    beside = Beside(passes)
    beside.leads(3)
    elsewhere = Seats()
    beside.seats, kept = elsewhere, beside.seats
    beside.changes(AE["R0"].model_copy(update={"status": "sick"}), at("14:14"))
    beside.seats = kept
    assert "R0" not in {beside.lead()[0] for _ in range(3)}


def test_who_joins_a_pool_gets_leads_of_it(passes: list[str]) -> None:
    beside = Beside(passes)
    beside.leads(3)
    beside.changes(person("R3", POOL), at("14:14"))
    assert "R3" in {beside.lead()[0] for _ in range(4)}


def test_of_more_kinds_of_leads_than_are_kept_each_is_decided_as_by_a_pass(
    passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.seats.MOST_LINEUPS", 1)
    beside = Beside(passes)
    beside.leads(3)
    for action in ("content", "other", "webinar", "other"):
        beside.lead(action=action)
        (pools,) = beside.seats._pools.values()
        assert len(pools[POOL].lineups) == 1
