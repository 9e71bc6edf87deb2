"""The ASSIGN stage around `decide`: contacts, missing policies, the journal."""

import pytest

from routing.groups import Group
from schemas.activity import ActivityKind
from schemas.decision import DecisionsJournalled
from schemas.effects import Emit, Put
from schemas.policy import PolicyActivated
from schemas.wire import encode
from streams.stages.assign import KINDS, PolicyMissing
from tests.worked.world import Arrival, World, at

WARM = Arrival("lone.example", 450, action="webinar")


def test_a_decision_carries_the_contact_and_the_journal_does_not() -> None:
    world = World()
    lead = world.arrives(WARM)
    assert lead.contact is not None and lead.contact.email == "somebody@lone.example"
    world.seal()
    for record in world.journal:
        assert b"somebody@" not in (encode(record) or b"")


def test_later_decisions_on_a_lead_carry_its_contact_too() -> None:
    world = World()
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:20"))
    assert moved.contact == lead.contact


def test_no_state_but_the_contact_holds_personal_data() -> None:
    world = World()
    world.arrives(WARM)
    held = {key for key, value in world.state.values.items() if b"somebody@" in (encode(value) or b"")}
    assert {key.split("/")[0] for key in held} == {"contact"}


def test_a_policy_that_has_not_arrived_stops_the_batch_for_another_try() -> None:
    world = World()
    with pytest.raises(PolicyMissing, match="publish its body"):
        world.send(
            "policy.activated",
            PolicyActivated(division="main", hash="0" * 16, by="ops", reason="r", at=world.now),
            world.now,
        )


def test_all_state_survives_being_written_and_read() -> None:
    world = World(loads={"M1": 40, "M2": 40, "M3": 20})
    world.arrives(WARM)
    world.until(at("14:20"))
    for key, value in world.state.values.items():
        kind = KINDS[key.split("/", 1)[0]]
        assert kind.decode(encode(value) or b"") == value, key


def test_state_read_from_disk_decides_as_state_in_memory() -> None:
    one, other = World(), World()
    for key, value in list(other.state.values.items()):
        other.state.values[key] = KINDS[key.split("/", 1)[0]].decode(encode(value) or b"")
    assert one.arrives(WARM) == other.arrives(WARM)


def test_the_journal_is_chained_and_cut_into_records_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.stages.assign.JOURNAL_BYTES", 20_000)
    world = World()
    for _ in range(8):
        world.arrives(WARM)
    world.seal()
    assert len(world.journal) > 1
    assert [record.sequence for record in world.journal] == list(range(1, len(world.journal) + 1))
    assert len({record.digest for record in world.journal}) == len(world.journal)
    assert world.replays()


def test_a_journal_record_is_what_the_schema_says() -> None:
    world = World()
    world.arrives(WARM)
    (sealed, put) = world.stage.seal(world.handled)
    assert isinstance(sealed, Emit) and isinstance(put, Put)
    record = DecisionsJournalled.model_validate_json(encode(sealed.value) or b"")
    assert (record.division, record.policy_hash) == ("main", world.policy.hash)


def test_a_discarded_batch_leaves_no_memory_behind() -> None:
    """The pools remembered between events are checked against the state's revision."""
    world, straight = World(), World()
    kept = dict(world.state.values)
    world.arrives(WARM)
    world.state.values = kept  # the transaction was aborted
    world.persons = 0
    world.offset = straight.offset
    assert world.arrives(WARM).trace == straight.arrives(WARM).trace


def test_groups_are_resident_since_every_pick_reads_one() -> None:
    assert KINDS["group"].resident
    assert KINDS["group"].decode(b'{"reps":["a"]}') == Group(("a",))
