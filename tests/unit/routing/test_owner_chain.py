"""Who has the lead of an owner who is away: backups, the team of the night, the team lead, the rules' pool (AVL-2)."""

import pytest

from schemas.activity import ActivityKind
from schemas.rep import Backup, Rep
from tests.worked.world import ACME, ALWAYS, DEFAULT, ROSTER, Arrival, World, at, on_leave, person

OURS = Arrival("acme.example", 5000, account=ACME)
OURS_IN_TEXAS = OURS.but(employees=450)
AWAY = {rep: on_leave(rep, 9, 14) for rep in ("E1", "E2", "EM")}
NIGHT = at("20:00")


def changed(rep: str, **more: object) -> dict[str, Rep]:
    return {rep: ROSTER[rep][0].model_copy(update=more)}


BOTH_AWAY = {"E1": AWAY["E1"], "E2": AWAY["E2"]}
EM_AT_NIGHT = changed("EM", hours=ALWAYS)


def who(world: World, arrival: Arrival) -> tuple[str | None, str]:
    """Who has it, and as what."""
    decision = world.arrives(arrival)
    return decision.owner.id, decision.trace["via"]


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        pytest.param({}, ("H1", "after-hours team"), id="owner and backup are off shift"),
        pytest.param({"E1": AWAY["E1"]}, ("H1", "after-hours team"), id="the backup alone is off shift"),
        pytest.param(BOTH_AWAY, ("H1", "after-hours team"), id="both are on leave: it is night all the same"),
    ],
)
def test_the_team_of_the_night_stands_in_for_who_is_off_shift(changes: dict[str, Rep], owner: tuple[str, str]) -> None:
    assert who(World(changed=EM_AT_NIGHT | changes), OURS.but(when=NIGHT)) == owner


def test_by_day_nobody_of_the_night_stands_in() -> None:
    assert who(World(changed=BOTH_AWAY), OURS) == ("EM", "team lead")


def test_the_team_of_the_night_is_that_of_the_rules_pool_else_of_the_owners() -> None:
    night_of_southwest = DEFAULT.replace(
        "    hours: southwest\n    after_hours: after-hours\n", "    hours: southwest\n    after_hours: smb-sdr\n"
    )
    awake = changed("S2", hours=ALWAYS)
    lead = OURS_IN_TEXAS.but(when=NIGHT)
    assert who(World(night_of_southwest, changed=awake), lead) == ("S2", "after-hours team")
    none_of_southwest = DEFAULT.replace(
        "    hours: southwest\n    after_hours: after-hours\n", "    hours: southwest\n"
    )
    assert who(World(none_of_southwest), lead) == ("H1", "after-hours team")


def test_without_backup_and_team_lead_the_pool_that_the_rules_would_choose_has_it_else_the_catch_all() -> None:
    world = World(changed=AWAY)
    assert who(world, OURS_IN_TEXAS)[0] in ("M1", "M2")
    assert who(world, OURS.but(country="BR", state=None, employees=450)) == ("CA", "catch-all")


@pytest.mark.parametrize(
    ("owner", "team_lead"),
    [
        pytest.param(AWAY["E1"].model_copy(update={"manager": "SM"}), "SM", id="as the roster says"),
        pytest.param(AWAY["E1"], "EM", id="who leads their pool"),
        pytest.param(AWAY["E1"].model_copy(update={"team": "elsewhere"}), "MM", id="who leads the rules' pool"),
    ],
)
def test_the_team_lead_of_an_absent_owner_is_theirs_before_the_pools(owner: Rep, team_lead: str) -> None:
    world = World(changed=AWAY | {"E1": owner, "EM": ROSTER["EM"][0]})
    assert who(world, OURS_IN_TEXAS) == (team_lead, "team lead")


def test_backups_who_back_each_other_up_are_asked_once_each() -> None:
    circle = AWAY["E2"].model_copy(update={"backups": (Backup(rep="E1"), Backup(rep="E2"))})
    decision = World(changed={"E1": AWAY["E1"], "E2": circle}).arrives(OURS)
    asked = [(link["step"], link["who"]) for link in decision.trace["chain"]]
    assert (decision.owner.id, asked) == ("EM", [("owner", "E1"), ("backup", "E2")])


def test_behind_a_backup_who_was_asked_already_the_next_one_is_asked() -> None:
    circle = AWAY["E2"].model_copy(update={"backups": (Backup(rep="E1"), Backup(rep="M1"))})
    assert who(World(changed={"E1": AWAY["E1"], "E2": circle}), OURS) == ("M1", "backup")


@pytest.mark.parametrize(("links", "owner"), [(1, ("EM", "team lead")), (2, ("M1", "backup"))])
def test_the_policy_says_how_many_links_of_a_chain_of_backups_are_asked(links: int, owner: tuple[str, str]) -> None:
    chain = AWAY["E2"].model_copy(update={"backups": (Backup(rep="M1"),)})
    text = f"{DEFAULT}\noptions: {{backup_chain: {links}}}\n"
    assert who(World(text, changed={"E1": AWAY["E1"], "E2": chain}), OURS) == owner


def test_where_an_account_names_no_backup_its_owners_own_stands_in() -> None:
    account = ACME.model_copy(update={"backup": None})
    assert who(
        World(changed={"E1": AWAY["E1"].model_copy(update={"backups": (Backup(rep="M2"),)})}), OURS.but(account=account)
    ) == ("M2", "backup")


def test_an_owner_and_a_backup_whom_nobody_knows_are_passed_over() -> None:
    account = ACME.model_copy(update={"owner": "Z1", "backup": "Z2"})
    decision = World().arrives(OURS_IN_TEXAS.but(account=account))
    asked = [(link["who"], link["why"]) for link in decision.trace["chain"]]
    assert (asked, decision.owner.id) == ([("Z1", "not on the roster"), ("Z2", "not on the roster")], "MM")


def test_the_accounts_backup_comes_before_the_owners() -> None:
    account = ACME.model_copy(update={"backup": "M1"})
    assert who(World(changed={"E1": AWAY["E1"]}), OURS.but(account=account)) == ("M1", "backup")


# One of several people who could answer for a queue or a pool


REVIEWED = Arrival("rio.example", 300, country="BR", state=None)


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        pytest.param({}, "CB", id="who has fewer leads"),
        pytest.param({"CB": on_leave("CA", 9, 14).model_copy(update={"id": "CB"})}, "CA", id="who is there"),
    ],
)
def test_of_a_queues_owners_one_who_is_there_and_has_fewest_leads_answers(changes: dict[str, Rep], owner: str) -> None:
    world = World()
    world.roster(changes.get("CB", person("CB", "catch-all", "reviewer")))
    busy = world.arrives(Arrival("lone.example", 450, action="webinar")).lead_id
    world.does(ActivityKind.REASSIGNED, busy, None, at("14:14"), to="CA", by="MM", reason="knows them")
    assert {world.arrives(REVIEWED).owner.id for _ in range(6)} == {owner}


def test_where_all_owners_of_a_queue_are_away_one_of_them_answers_all_the_same() -> None:
    assert World(changed={"CA": on_leave("CA", 9, 14)}).arrives(REVIEWED).owner.id == "CA"


def test_a_team_lead_who_had_the_lead_and_let_it_go_is_passed_over() -> None:
    full = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
    hot = Arrival("lone.example", 450)
    held = World(f"{DEFAULT}\nwhen_full: {{else: [team_lead, catch_all]}}\n", loads=full)
    lead = held.arrives(hot)
    (moved,) = held.does(ActivityKind.DECLINED, lead.lead_id, "MM", at("14:15"))
    assert (lead.owner.id, moved.owner.id) == ("MM", "CA")
    assert {"step": "team lead", "who": "MM", "why": "excluded"} in moved.trace["chain"]
