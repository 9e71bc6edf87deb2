"""Who is in which group: what a selector asks, and what a change of a person or of the policy moves."""

import pytest

from routing.draft import Draft
from routing.groups import fits, group_key, members, pools_of, regroup, regroup_all
from routing.rep_state import RepState, RosterRow
from routing.replay import Memory
from schemas.policy_pool import Selector
from tests.unit.routing.policies import NOW, shipped

FILE = shipped().file


@pytest.mark.parametrize(
    ("selector", "row", "is_in"),
    [
        pytest.param(Selector(), RosterRow(), False, id="asks nothing"),
        pytest.param(Selector(team=("west",)), RosterRow(team="west"), True, id="asks only the team"),
        pytest.param(Selector(team=("west",)), RosterRow(team=None), False, id="has no team"),
        pytest.param(Selector(role=("ae",), team=("west",)), RosterRow(role="ae", team="east"), False, id="one of two"),
        pytest.param(Selector(skills=("a", "b")), RosterRow(skills=("b", "c")), True, id="has one of the skills"),
        pytest.param(Selector(skills=("a", "b")), RosterRow(skills=("c",)), False, id="has another skill"),
    ],
)
def test_a_person_fits_who_has_one_value_of_every_field_that_is_asked(
    selector: Selector, row: RosterRow, is_in: bool
) -> None:
    assert fits(selector, row) is is_in


def test_a_person_enters_a_group_once_stays_in_it_and_leaves_it_with_the_team() -> None:
    draft = Draft(Memory(), NOW)
    for rep, team in (("b", "smb-sdr"), ("a", "smb-sdr"), ("a", "smb-sdr")):
        regroup(draft, "main", FILE, RepState(rep, RosterRow(team=team)))
    assert members(draft, "main", "pool:smb-sdr") == ("a", "b")
    regroup(draft, "main", FILE, RepState("a", RosterRow(team="ent-amer")))
    assert (members(draft, "main", "pool:smb-sdr"), members(draft, "main", "pool:ent-amer")) == (("b",), ("a",))
    assert [pools_of(draft, "main", FILE, rep) for rep in "abc"] == [["ent-amer"], ["smb-sdr"], []]


def test_a_new_policy_groups_everybody_whose_row_is_known_and_drops_the_groups_it_does_not_have() -> None:
    draft = Draft(Memory(), NOW)
    for rep in (RepState("b", RosterRow(team="smb-sdr")), RepState("a", RosterRow(team="ent-amer")), RepState("c")):
        draft.put(f"rep/main/{rep.id}", rep)
    regroup_all(draft, "main", FILE)
    fewer = FILE.model_copy(update={"pools": {"smb-sdr": FILE.pools["smb-sdr"]}})
    assert (members(draft, "main", "pool:smb-sdr"), members(draft, "main", "pool:ent-amer")) == (("b",), ("a",))
    regroup_all(draft, "main", fewer)
    assert members(draft, "main", "pool:smb-sdr") == ("b",)
    assert draft.get(group_key("main", "pool:ent-amer")) is None
