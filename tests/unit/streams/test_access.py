"""Rights agree with what the stages say they read."""

import pytest

from schemas.topics import TOPICS
from streams.access import ACCESS, Resource, rights
from streams.board.fold import TOPICS as BOARD_TOPICS
from streams.business.process import INPUTS as METER_TOPICS
from streams.onward import PATH
from streams.stages.assign import AssignStage
from streams.stages.enrich import EnrichStage
from streams.stages.notify import Notify
from streams.stages.pending import PendingStage
from streams.stages.score import Score
from streams.stages.track import Track

STAGES = {
    "enrich": EnrichStage,
    "pending": PendingStage,
    "track": Track,
    "score": Score,
    "assign": AssignStage,
    "notify": Notify,
}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_may_read_what_it_reads_and_nothing_else(name: str) -> None:
    stage = STAGES[name]
    after = {topic for _, topic in PATH} if stage.low_priority else set()  # looked at, so that an import may wait
    assert set(ACCESS[name].reads) == {*stage.inputs, *stage.tables, f"state.{name}", *after}


def test_every_topic_is_known_and_has_a_writer_among_us_or_is_written_from_outside() -> None:
    for access in ACCESS.values():
        assert {*access.reads, *access.writes} <= TOPICS.keys()
    ours = {topic for name, access in ACCESS.items() if name != "ops" for topic in access.writes}
    assert TOPICS.keys() - ours == {"policies"}  # the command line alone


def test_only_ops_may_make_topics_and_nobody_may_delete() -> None:
    for name, access in ACCESS.items():
        operations = {operation for right in rights(access, "n") for operation in right.operations}
        assert ("Create" in operations) is (name == "ops")
        assert not operations & {"Delete", "All", "ClusterAction", "Alter"}


def test_names_are_those_of_the_namespace() -> None:
    found = rights(ACCESS["score"], "acme")
    assert all(right.name.startswith("acme.") for right in found if right.resource is not Resource.CLUSTER)
    (own,) = [right for right in found if right.resource is Resource.TRANSACTIONAL_ID]
    assert (own.name, own.is_prefix) == ("acme.score-", True)


def test_those_who_only_look_may_read_what_they_read_and_nothing_else() -> None:
    assert set(ACCESS["board"].reads) == set(BOARD_TOPICS)
    assert set(ACCESS["meter"].reads) == set(METER_TOPICS)
