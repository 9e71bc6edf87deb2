"""Laws of SCORE: one open lead a person whatever comes in what order, ids never reused, repeats without effect."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import ActivityBound, ActivityKind
from schemas.effects import Effect
from schemas.lead import LeadEnriched, LeadScored
from streams.stages.person import ENDS
from streams.stages.score import Score
from tests.unit.streams.people import AT, Entries, TableRows, activity, emitted, enriched, event

PEOPLE = ("p1", "p2", "p3")
TABLES = TableRows()
TABLES.activate("main")

submissions = st.builds(
    enriched,
    event_id=st.integers(0, 30).map("s{}".format),
    person=st.sampled_from(PEOPLE),
    action=st.sampled_from(["demo", "webinar", "other"]),
    is_test=st.booleans(),
)
acts = st.builds(
    activity,
    kind=st.sampled_from([*ENDS, ActivityKind.CALLED, ActivityKind.ENGAGED]),
    person=st.sampled_from(PEOPLE),
    activity_id=st.integers(0, 30).map("a{}".format),
)
histories = st.lists(submissions | acts, max_size=40)


class Run:
    """A Score over one history."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.store = Entries(dict(Score.kinds))
        self._score = Score(TABLES, lambda lead: "main", lambda reason: self.dropped.update([reason]))
        self._taken = 0

    def take(self, value: LeadEnriched | ActivityBound) -> Sequence[Effect]:
        self._taken += 1
        return self.store.take(self._score.handle(self.store, event(value, f"e{self._taken}"), {}, AT))

    def scored(self, history: Sequence[LeadEnriched | ActivityBound]) -> list[LeadScored]:
        found = [emit.value for value in history for emit in emitted(self.take(value))]
        return [value for value in found if isinstance(value, LeadScored)]


@settings(max_examples=150, deadline=None)
@given(histories)
def test_touches_of_a_lead_count_up_from_one_and_ordinals_of_a_person_too(
    history: list[LeadEnriched | ActivityBound],
) -> None:
    touches: dict[str, list[int]] = {}
    for scored in Run().scored(history):
        touches.setdefault(scored.lead_id, []).append(scored.touch)
        assert (scored.duplicate is None) == (scored.touch == 1)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in touches.values())
    for person in PEOPLE:
        ordinals = [int(lead.rsplit(".", 1)[1]) for lead in touches if f".{person}." in lead]
        assert sorted(ordinals) == list(range(1, len(ordinals) + 1))


@settings(max_examples=150, deadline=None)
@given(histories)
def test_every_submission_is_scored_once_or_counted_as_a_repeat(history: list[LeadEnriched | ActivityBound]) -> None:
    run = Run()
    scored = run.scored(history)
    submitted = sum(isinstance(value, LeadEnriched) for value in history)
    assert len(scored) + run.dropped["repeated_submission"] == submitted


@settings(max_examples=100, deadline=None)
@given(histories)
def test_submissions_that_come_again_change_neither_state_nor_output(
    history: list[LeadEnriched | ActivityBound],
) -> None:
    run = Run()
    run.scored(history)
    before = dict(run.store.stored)
    last = [value for value in history if isinstance(value, LeadEnriched)][-8:]  # well inside what is remembered
    assert run.scored(last) == []
    assert run.store.stored == before


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["p5", "p7", "p9"]), min_size=1, max_size=8))
def test_submissions_from_any_of_a_humans_addresses_are_one_lead(addresses: list[str]) -> None:
    run = Run()
    leads = []
    for number, address in enumerate(addresses):
        others = tuple(sorted({"p5", "p7", "p9"} - {address}))
        queue: list[LeadEnriched] = [enriched(f"s{number}", person=address, alternates=others)]
        while queue:
            effects = run.take(queue.pop(0))
            leads += [emit.value for emit in emitted(effects)]
            queue += [emit.value for emit in emitted(effects, "leads.enriched")]
    assert {lead.lead_id for lead in leads} == {"main.p5.1"}
    assert [lead.touch for lead in leads] == list(range(1, len(addresses) + 1))
