"""How a pool picks: who is on shift first, catching up, performance, preferences, the junior floor, account backups."""

from typing import Any

import pytest

from schemas.activity import ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from schemas.rep import Backup, Hours, Rep
from tests.worked.world import ACME, ALWAYS, DEFAULT, ROSTER, Arrival, World, at, on_leave, told

WARM = Arrival("lone.example", 450, action="webinar")
SMALL = Arrival("small.example", 120, action="webinar")
EVENINGS = Hours(timezone="America/Chicago", week={"tue": (("18:00", "22:00"),)})
UNLIMITED = {rep: ROSTER[rep][0].model_copy(update={"limit": 1000.0}) for rep in ("M1", "M2", "M3", "S1", "S2", "S3")}


def with_pool(text: str, more: str) -> str:
    return DEFAULT.replace(f"  {text}:\n", f"  {text}:\n    {more}\n", 1)


def changed(rep: str, **more: Any) -> dict[str, Rep]:
    return {rep: ROSTER[rep][0].model_copy(update=more)}


def spread(world: World, arrival: Arrival, leads: int) -> list[str]:
    return [str(world.arrives(arrival).owner.id) for _ in range(leads)]


@pytest.mark.parametrize("name", ["smb-sdr", "smb/sdr", "smb / sdr / us"])
def test_a_pool_goes_in_turns_whatever_its_name(name: str) -> None:
    text = DEFAULT.replace("pool: smb-sdr", f"pool: {name}").replace("\n  smb-sdr:", f"\n  {name}:")
    world = World(text)
    given = [str(world.arrives(SMALL.but(delay_seconds=5.0 * count)).owner.id) for count in range(9)]
    assert sorted(given[:3]) == ["S1", "S2", "S3"]
    assert given[:3] == given[3:6] == given[6:]


def test_members_on_shift_come_first() -> None:
    world = World(changed=changed("S3", hours=EVENINGS))
    assert spread(world, SMALL.but(when=at("19:00")), 3) == ["S3", "S3", "S3"]
    assert {row["why"] for row in world.decisions[-1].trace["pools"][0]["candidates"]} == {
        "chosen",
        "off shift, others are on shift",
    }


def test_a_warm_lead_goes_to_somebody_off_shift_when_nobody_on_shift_has_room() -> None:
    world = World(changed=changed("S3", hours=EVENINGS), loads={"S3": 40})
    assert world.arrives(SMALL.but(when=at("19:00"))).owner.id == "S1"


@pytest.mark.parametrize(
    ("option", "shares"),
    [("false", {"M1": 15, "M2": 10, "M3": 5}), ("true", {"M1": 15, "M2": 20, "M3": 5})],
    ids=["as shipped", "catching up"],
)
def test_who_returns_from_leave_catches_up_only_where_the_policy_says_so(option: str, shares: dict[str, int]) -> None:
    world = World(DEFAULT + f"\noptions: {{vacation_catch_up: {option}}}\n", changed=UNLIMITED)
    first = spread(world, WARM, 6)
    assert [first.count(rep) for rep in shares] == [3, 2, 1]
    world.roster(on_leave("M2", 10, 12).model_copy(update={"limit": 1000.0}))
    away = spread(world, WARM, 30)
    assert "M2" not in away
    world.roster(UNLIMITED["M2"])
    back = spread(world, WARM, 60 if option == "true" else 30)
    if option == "true":
        assert [(first + away + back).count(rep) for rep in shares] == [48, 32, 16]
        assert set(back[:9]) == {"M2"}
    else:
        assert {rep: back.count(rep) for rep in shares} == shares


PERFORMANCE = with_pool("smb-sdr", "performance: {best_share: 0.34, coach_share: 0.34}").replace(
    "    lead: {role: manager, team: smb-sdr}\n    strategy: round_robin",
    "    lead: {role: manager, team: smb-sdr}\n    strategy: performance",
)


def rated(**rates: float) -> dict[str, Rep]:
    return {rep: UNLIMITED[rep].model_copy(update={"close_rate": rate}) for rep, rate in rates.items()}


@pytest.mark.parametrize(
    ("action", "favoured"), [("demo", "S1"), ("webinar", None), ("newsletter", "S3")], ids=["best", "equal", "coached"]
)
def test_the_best_get_more_of_the_good_leads_and_the_last_more_to_learn_on(action: str, favoured: str | None) -> None:
    world = World(PERFORMANCE, changed=rated(S1=0.3, S2=0.2, S3=0.1))
    given = spread(world, SMALL.but(action=action), 33)
    assert [given.count(rep) for rep in ("S1", "S2", "S3")] == (
        [11, 11, 11] if favoured is None else [13 if rep == favoured else 10 for rep in ("S1", "S2", "S3")]
    )


def test_a_pool_may_pick_by_performance_for_some_leads_alone() -> None:
    some = "strategies: [{when: 'lead.action == \"demo\"', use: performance}]"
    text = PERFORMANCE.replace("    strategy: performance", f"    {some}\n    strategy: round_robin")
    world = World(text, changed=rated(S1=0.3, S2=0.2, S3=0.1))
    given = spread(world, SMALL, 33)
    assert [given.count(rep) for rep in ("S1", "S2", "S3")] == [11, 11, 11]
    given = spread(World(text, changed=rated(S1=0.3, S2=0.2, S3=0.1)), SMALL.but(action="demo"), 33)
    assert [given.count(rep) for rep in ("S1", "S2", "S3")] == [13, 10, 10]


def test_the_bonus_ends_where_the_load_nears_the_limit() -> None:
    world = World(PERFORMANCE, changed=rated(S2=0.2, S3=0.1) | changed("S1", close_rate=0.3, limit=100.0))
    world._loaded("S1", 75)
    given = spread(world, SMALL.but(action="demo"), 30)
    assert abs(given.count("S1") - 10) <= 1


def test_activity_counts_beside_the_close_rate() -> None:
    close = rated(S1=0.30, S2=0.29, S3=0.1)
    close["S1"] = close["S1"].model_copy(update={"activity_rate": 0.2})
    close["S2"] = close["S2"].model_copy(update={"activity_rate": 0.9})
    given = spread(World(PERFORMANCE, changed=close), SMALL.but(action="demo"), 33)
    assert max(given, key=given.count) == "S2"


PREFERS = with_pool("smb-sdr", "prefer: [{rep: languages, fact: lead.language}]")


def test_a_lead_waits_ten_seconds_for_a_preferred_rep_and_then_goes_to_anybody() -> None:
    world = World(PREFERS, changed=changed("S2", languages=("es",)) | on(vacant="S2"))
    held = world.arrives(SMALL.but(language="es"))
    assert (held.kind, held.notices) == (DecisionKind.HELD, ())
    assert "waits a moment for a rep whom the pool prefers" in held.reason
    assert world.until(at("14:14:09")) == []
    (given,) = world.until(at("14:14:10"))
    assert (given.kind, given.owner.id, given.at) == (DecisionKind.ASSIGNED, "S1", at("14:14:10"))


def test_a_lead_that_came_late_waits_for_a_preferred_rep_until_the_same_second() -> None:
    world = World(PREFERS, changed=on(vacant="S2"))
    assert world.arrives(SMALL.but(language="es", delay_seconds=6)).kind is DecisionKind.HELD
    assert [(row.owner.id, row.at) for row in world.until(at("14:14:30"))] == [("S1", at("14:14:10"))]
    late = World(PREFERS, changed=on(vacant="S2"))
    assert late.arrives(SMALL.but(language="es", delay_seconds=10)).owner.id == "S1"


def test_a_lead_that_waits_for_room_is_woken_once_for_the_preferred_rep_then_for_its_deadline() -> None:
    world = World(PREFERS, loads={"S1": 40, "S2": 40, "S3": 40})
    held = world.arrives(SMALL.but(language="es"))
    assert held.kind is DecisionKind.HELD
    world.until(at("14:14:10"))
    assert world.wakes[f"lead/{held.lead_id}"].due_at == at("14:29")


def on(vacant: str) -> dict[str, Rep]:
    return changed(vacant, languages=("es",), vacant=True)


def test_a_preferred_rep_who_comes_back_in_time_gets_the_lead() -> None:
    world = World(PREFERS, changed=on(vacant="S2"))
    world.arrives(SMALL.but(language="es"))
    (given,) = world.roster(changed("S2", languages=("es",))["S2"], at("14:14:05"))
    assert (given.owner.id, given.at) == ("S2", at("14:14:05"))


def test_a_preferred_rep_gets_the_lead_at_once_though_it_is_not_their_turn() -> None:
    world = World(PREFERS, changed=changed("S3", languages=("es",)))
    lead = world.arrives(SMALL.but(language="es"))
    assert lead.owner.id == "S3"
    why = {row["rep"]: row["why"] for row in lead.trace["pools"][0]["candidates"]}
    assert why == {"S3": "chosen"} | dict.fromkeys(("S1", "S2"), "skill: another is preferred")


FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}


@pytest.mark.parametrize(
    ("minutes", "kind", "owner_kind"),
    [(14.99, DecisionKind.HELD, "team_lead"), (15, DecisionKind.ASSIGNED, "team_lead")],
    ids=["ahead of it", "at it"],
)
def test_a_full_pool_holds_no_lead_that_has_come_to_its_route_deadline(
    minutes: float, kind: DecisionKind, owner_kind: str
) -> None:
    lead = World(loads=FULL).arrives(WARM.but(delay_seconds=minutes * 60))
    assert (lead.kind, lead.owner.kind, lead.owner.id) == (kind, owner_kind, "MM")


def test_a_lead_that_somebody_had_is_held_nowhere_ahead_of_its_route_deadline() -> None:
    world = World(loads=FULL | {"M1": 39.5})
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:16"))
    assert (lead.owner.id, moved.kind, moved.owner.id) == ("M1", DecisionKind.REASSIGNED, "MM")


@pytest.mark.parametrize(
    ("sick", "wall", "owner"),
    [
        ((), "21:00", "H1"),
        (("M1", "M2"), "21:00", "H1"),
        (("M1", "M2", "M3"), "21:00", "MM"),
        (("M1", "M2", "M3"), "14:14", "MM"),
    ],
    ids=["a night", "a night, some are sick too", "a night, all are sick", "a day, all are sick"],
)
def test_the_after_hours_team_stands_in_for_who_is_off_shift_not_for_who_is_sick(
    sick: tuple[str, ...], wall: str, owner: str
) -> None:
    away = {rep: changed(rep, status="sick")[rep] for rep in sick}
    always = {"MM": ROSTER["MM"][0].model_copy(update={"hours": ALWAYS})}
    lead = World(changed=away | always).arrives(WARM.but(action="demo", when=at(wall)))
    assert lead.owner.id == owner


OVERFLOWS = with_pool("mm-southwest", "overflow: smb-sdr")


@pytest.mark.parametrize(
    ("loads", "without", "action", "owner"),
    [
        (FULL, (), "demo", ("S1", "smb-sdr", "overflow pool")),
        (FULL, (), "webinar", ("MM", "mm-southwest", "held for room")),
        ({}, ("M1", "M2", "M3"), "webinar", ("S1", "smb-sdr", "overflow pool")),
        (FULL | {"S1": 40, "S2": 40, "S3": 40}, (), "demo", ("MM", "mm-southwest", "team lead")),
    ],
    ids=["full, hot", "full, warm", "empty, warm", "the other is full too"],
)
def test_what_a_pool_cannot_take_goes_to_its_overflow_pool_else_to_its_team_lead(
    loads: dict[str, float], without: tuple[str, ...], action: str, owner: tuple[str, str, str]
) -> None:
    lead = World(OVERFLOWS, loads=loads, without=without).arrives(WARM.but(action=action))
    assert (lead.owner.id, lead.owner.pool, lead.trace["via"]) == owner


def test_who_declines_a_lead_does_not_get_it_back_though_it_is_their_turn() -> None:
    world = World()
    leads = [world.arrives(SMALL.but(delay_seconds=5.0 * count)) for count in range(3)]
    assert [lead.owner.id for lead in leads] == ["S1", "S2", "S3"]
    (moved,) = world.does(ActivityKind.DECLINED, leads[0].lead_id, "S1", at("14:16"))
    assert moved.owner.id == "S2"


def test_the_trace_counts_why_no_member_of_a_pool_could_have_the_lead() -> None:
    away = changed("M3", status="sick")
    lead = World(loads={"M1": 40, "M2": 40}, changed=away).arrives(WARM.but(action="demo"))
    assert lead.trace["chain"] == [{"step": "pool", "who": "mm-southwest", "why": "1 absent, 2 full"}]
    empty = World(without=("M1", "M2", "M3")).arrives(WARM.but(action="demo"))
    assert empty.trace["chain"] == [{"step": "pool", "who": "mm-southwest", "why": "nobody is in it"}]


def test_juniors_get_their_floor_of_the_hot_leads_from_the_tenth_on() -> None:
    world = World(changed=UNLIMITED)
    lanes = []
    for _ in range(40):
        lead = world.arrives(Arrival("lone.example", 450))
        lanes.append(lead.trace["pools"][0]["lane"])
    assert lanes[:9] == ["senior lane"] * 9
    assert lanes[9] == "junior floor"
    assert lanes.count("junior floor") >= 8


def test_the_floor_looks_back_as_many_days_as_the_policy_says() -> None:
    text = with_pool("mm-southwest", "senior_lane: {floor_days: 1}")
    world = World(text, changed=UNLIMITED)
    hot = Arrival("lone.example", 450)
    for _ in range(9):
        world.arrives(hot)
    (lead,) = [world.arrives(hot.but(when=at("14:14", 11)))]
    assert lead.trace["pools"][0]["lane"] == "senior lane"


@pytest.mark.parametrize(
    ("start", "until", "owner"),
    [(None, None, "M2"), (1, 20, "M2"), (11, 20, "E2"), (1, 10, "E2")],
    ids=["always", "within its dates", "not yet", "no longer"],
)
def test_the_backup_of_an_account_has_dates(start: int | None, until: int | None, owner: str) -> None:
    dates = {"backup_from": start and at("00:00", start), "backup_until": until and at("00:00", until)}
    account = ACME.model_copy(update={"backup": "M2", **dates})
    world = World(changed={"E1": on_leave("E1", 9, 14)})
    assert world.arrives(Arrival("acme.example", 5000, account=account)).owner.id == owner


def test_a_ramping_rep_steps_up_by_date() -> None:
    ramp = ROSTER["S1"][0].model_copy(update={"limit": 100.0})
    new = Rep.model_validate(
        {**ramp.model_dump(), "ramp": [{"start": "2026-03-01", "share": 0.25}, {"start": "2026-03-11", "share": 1}]}
    )
    world = World(changed={"S1": new}, loads={"S1": 25})
    assert world.arrives(SMALL).owner.id == "S2"
    assert "S1" in spread(world, SMALL.but(when=at("14:14", 11)), 3)


def test_who_was_on_leave_from_the_first_day_of_a_pool_catches_up_nothing() -> None:
    world = World(DEFAULT + "\noptions: {vacation_catch_up: true}\n", changed=UNLIMITED | {"M2": on_leave("M2", 9, 14)})
    assert sorted(set(spread(world, WARM, 8))) == ["M1", "M3"]


def test_the_backup_of_an_absent_backup_stands_in() -> None:
    away = {
        "E1": on_leave("E1", 9, 14),
        "E2": on_leave("E2", 9, 14).model_copy(update={"backups": (Backup(rep="M1"),)}),
    }
    lead = World(changed=away).arrives(Arrival("acme.example", 5000, account=ACME.model_copy(update={"backup": None})))
    assert lead.owner.id == "M1"


def test_a_chain_of_backups_ends_after_as_many_links_as_the_policy_says() -> None:
    links = {"E1": "E2", "E2": "M2", "M2": "M3", "M3": "M1"}
    away = {rep: on_leave(rep, 9, 14).model_copy(update={"backups": (Backup(rep=to),)}) for rep, to in links.items()}
    account = ACME.model_copy(update={"backup": None})
    assert World(changed=away).arrives(Arrival("acme.example", 5000, account=account)).owner.id == "EM"
    longer = World(DEFAULT + "\noptions: {backup_chain: 4}\n", changed=away)
    assert longer.arrives(Arrival("acme.example", 5000, account=account)).owner.id == "M1"


def test_a_need_of_other_leads_leaves_the_next_need_in_force() -> None:
    needs = "require: [{rep: skills, any_of: [hipaa], when: 'company.industry == \"healthcare\"'}, "
    needs += "{rep: languages, any_of: [es]}]"
    world = World(with_pool("mm-southwest", needs), changed=changed("M3", languages=("es",)))
    assert spread(world, WARM, 3) == ["M3", "M3", "M3"]


def test_an_alert_meant_for_a_team_lead_who_owns_the_lead_goes_above_their_deputy_too() -> None:
    deputy = ROSTER["MM"][0].model_copy(update={"id": "MD", "name": "MD"})
    world = World(loads={"M1": 40, "M2": 40, "M3": 20})
    world.roster(deputy)
    lead = world.arrives(WARM.but(action="demo"))
    assert (lead.owner.kind, lead.owner.id in ("MM", "MD")) == (OwnerKind.TEAM_LEAD, True)
    alerts = [row for row in world.until(at("14:19")) if row.kind is DecisionKind.ESCALATED]
    assert {who for row in alerts for who in told(row, "manager") | told(row, "leadership")} == {"SL"}
