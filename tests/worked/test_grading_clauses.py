"""SEG, TIER, SCO and RUL, clause by clause: what rules may ask, where each cell leads, when a nurtured lead wakes."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
import yaml

from routing.policy import PolicyInvalid, compile_policy
from routing.scoring import judged
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.lead import MailFacts, MailKind
from tests.worked.pipeline import Pipeline, Submission, form
from tests.worked.world import DEFAULT, SUBMITTED, Arrival, World, at

WARM = Arrival("lone.example", 450, action="webinar")


def with_rule(when: str, to: Any = "nurture", **more: Any) -> str:
    """The default policy with one rule before all others."""
    file = yaml.safe_load(DEFAULT)
    asked = {"name": "asked", "when": when, "to": to, "because": "a test asks", "say": "As asked.", "owner": "ops"}
    return yaml.safe_dump({**file, **more, "rules": [asked, *file["rules"]]}, sort_keys=False)


def ruled(policy: str, lead: dict[str, Any], company: dict[str, Any], when: datetime = SUBMITTED) -> str:
    """Return the rule that takes a lead of whom this is known."""
    world = World(policy)
    scored = WARM.but(when=when).scored(world, world.policy)
    about = scored.lead.model_copy(update={**lead, "company": scored.lead.company.model_copy(update=company)})
    return world.send("lead.scored", scored.model_copy(update={"lead": about}), when)[0].rule or ""


# RUL-3: fields and operators


@pytest.mark.parametrize(
    ("condition", "holds", "fails"),
    [
        pytest.param('mail.domain == "big.example"', {"mail": MailFacts(domain="big.example")}, {}, id="mail domain"),
        pytest.param('company.domain == "big.example"', {"company.domain": "big.example"}, {}, id="company domain"),
        pytest.param(
            "company.employees >= 300 && company.employees < 451", {}, {"company.employees": 451}, id="a range"
        ),
        pytest.param('company.industry in ["saas", "fintech"]', {}, {"company.industry": "retail"}, id="industry, in"),
        pytest.param('company.country == "US"', {}, {"company.country": "CA"}, id="country of the headquarters"),
        pytest.param('company.state in ["TX", "NM"]', {}, {"company.state": "OK"}, id="state"),
        pytest.param('company.postcode_area.startsWith("787")', {"company.postcode_area": "78701"}, {}, id="prefix"),
        pytest.param("has(company.postcode_area)", {"company.postcode_area": "78701"}, {}, id="known"),
        pytest.param("!has(company.revenue)", {}, {"company.revenue": 5.0}, id="unknown"),
        pytest.param('lead.seniority in ["c_level", "vp"]', {"seniority": "vp"}, {"seniority": "staff"}, id="title"),
        pytest.param('lead.product_interest == "audit"', {"product_interest": "audit"}, {}, id="product interest"),
        pytest.param('lead.service_type == "on_site"', {"service_type": "on_site"}, {}, id="service type"),
        pytest.param('lead.language == "de"', {"language": "de"}, {"language": "en"}, id="language"),
        pytest.param("score >= 65", {}, {"company.industry": "retail"}, id="score"),
        pytest.param('tier == "T2"', {}, {"action": "whitepaper"}, id="tier"),
        pytest.param('lead.source == "linkedin"', {"source": "linkedin"}, {}, id="source"),
        pytest.param('lead.campaign.startsWith("q1-")', {"campaign": "q1-a"}, {"campaign": "q2-a"}, id="campaign"),
        pytest.param('lead.channel == "chat"', {"channel": "chat"}, {"channel": "form"}, id="channel"),
        pytest.param('"pricing" in lead.behaviour', {"behaviour": ("pricing",)}, {}, id="behaviour"),
        pytest.param('answers.team == "sales"', {"answers": {"team": "sales"}}, {}, id="an answer"),
    ],
)
def test_a_rule_may_ask_for(condition: str, holds: dict[str, Any], fails: dict[str, Any]) -> None:
    found = []
    for known in (holds, fails):
        company = {key.split(".")[1]: value for key, value in known.items() if key.startswith("company.")}
        lead = {key: value for key, value in known.items() if not key.startswith("company.")}
        world = World(with_rule(condition))
        scored = _scored(world, lead, company)
        found.append(world.send("lead.scored", scored, SUBMITTED)[0].rule == "asked")
    assert found == [True, False]


def _scored(world: World, lead: dict[str, Any], company: dict[str, Any]) -> Any:
    arrival = WARM.but(
        action=lead.pop("action", WARM.action),
        **{key: company.pop(key) for key in ("employees", "industry", "country", "state") if key in company},
    )
    scored = arrival.scored(world, world.policy)
    about = scored.lead.model_copy(update={**lead, "company": scored.lead.company.model_copy(update=company)})
    return scored.model_copy(update={"lead": about})


@pytest.mark.parametrize(
    ("condition", "first", "last", "zone"),
    [
        pytest.param('time_of_day >= "09:00" && time_of_day < "12:00"', "08:00", "10:59", None, id="time of day"),
        pytest.param("hour >= 9 && hour < 12", "08:00", "10:59", None, id="hour"),
        pytest.param("calendar.southwest", "09:00", "17:59", None, id="within calendar"),
        pytest.param('time_of_day < "12:00"', "13:30", "23:59", "Asia/Kolkata", id="a zone at half an hour"),
        pytest.param('date == "2026-03-11"', "13:30", "23:59", "Asia/Kolkata", id="the date there"),
        pytest.param('weekday == "wed"', "13:30", "23:59", "Asia/Kolkata", id="the day there"),
    ],
)
def test_a_rule_may_ask_for_the_time_to_the_minute(condition: str, first: str, last: str, zone: str | None) -> None:
    policy = with_rule(condition, **({"timezone": zone} if zone else {}))
    minute = timedelta(minutes=1)
    asked = [ruled(policy, {}, {}, when) == "asked" for when in (at(first) - minute, at(first), at(last))]
    assert asked == [False, True, True]


# RUL-5: refused without a sentence, a reason and one owner


@pytest.mark.parametrize("field", ["because", "say", "owner"])
@pytest.mark.parametrize("text", [None, "", "   ", "\t \n"], ids=["absent", "empty", "spaces", "white space"])
def test_a_rule_without_words_is_refused_and_the_message_names_it(field: str, text: str | None) -> None:
    file = yaml.safe_load(DEFAULT)
    rule = file["rules"][4]
    if text is None:
        del rule[field]
    else:
        rule[field] = text
    with pytest.raises(PolicyInvalid, match=rf"rules\[4\]\.{field}|rules\[4\].*{field}"):
        compile_policy(yaml.safe_dump(file, sort_keys=False))


# SEG-2, RUL-2: every cell of size, industry and place leads somewhere

SIZES = (None, 0, 49, 50, 199, 200, 999, 1000, 250_000)
INDUSTRIES = (None, "saas", "healthcare", "retail")
PLACES = ((None, None), ("US", None), ("US", "TX"), ("US", "NY"), ("CA", "ON"), ("BR", None))


@pytest.mark.parametrize(
    ("action", "mail"),
    [
        ("demo", MailKind.BUSINESS),
        ("webinar", MailKind.BUSINESS),
        ("whitepaper", MailKind.NONE),
        (None, MailKind.PERSONAL),
    ],
)
def test_every_cell_of_size_industry_and_place_has_a_person_or_nurture(action: str | None, mail: MailKind) -> None:
    world = World()
    for employees, industry, (country, state) in product(SIZES, INDUSTRIES, PLACES):
        arrival = WARM.but(employees=employees, industry=industry, country=country, state=state)
        lead = world.arrives(arrival.but(action=action, mail=mail))
        is_nurtured = lead.kind is DecisionKind.NURTURED
        assert is_nurtured == (lead.owner.kind is OwnerKind.NONE)
        assert is_nurtured or lead.owner.id is not None
        assert not is_nurtured or (lead.tier, lead.segment) == ("T3", "self_serve")
        assert (lead.segment is None) == (employees is None)


FINTECH = {"name": "fintech", "when": 'company.industry == "fintech"', "to": {"queue": "manual-review"}}
APAC = {"name": "APAC", "when": 'company.region == "apac"', "to": {"queue": "catch-all"}}


@pytest.mark.parametrize(
    ("rules", "takes"),
    [((FINTECH, APAC), "fintech"), ((APAC, FINTECH), "APAC")],
    ids=["fintech worldwide first", "APAC first"],
)
def test_overlapping_territories_are_decided_by_order(rules: tuple[dict[str, Any], ...], takes: str) -> None:
    file = yaml.safe_load(DEFAULT)
    words = {"because": "a test asks", "say": "As asked.", "owner": "ops"}
    file["rules"] = [*({**rule, **words} for rule in rules), *file["rules"]]
    policy = yaml.safe_dump(file, sort_keys=False)
    assert ruled(policy, {}, {"industry": "fintech", "region": "apac"}) == takes


# TIER-2: nurture, engagements, and what wakes a lead

READS = form("me@tiny.example", 20, "retail", "US", "whitepaper")


def reads_again(*days: int) -> tuple[Pipeline, list[Decision]]:
    world = Pipeline()
    assert world.arrives(READS).kind is DecisionKind.NURTURED
    return world, [row for day in days for row in world.submitted(on(READS, day))]


def on(submission: Submission, day: int) -> Submission:
    return submission.but(at=at("10:00", day))


def test_three_further_submissions_in_seven_days_bring_a_nurtured_lead_to_review() -> None:
    world, rows = reads_again(11, 12, 13)
    assert [row.kind for row in rows] == [DecisionKind.TOUCHED] * 3 + [DecisionKind.QUEUED]
    assert (rows[-1].owner.queue, rows[-1].owner.id) == ("manual-review", "RV")
    assert rows[-1].sla is not None and rows[-1].sla.clock_at == at("10:00", 13)
    (alert,) = world.until(at("10:15", 13))
    assert alert.kind is DecisionKind.ESCALATED


def test_the_first_submission_is_not_one_of_the_three_and_seven_days_are_not_within_seven() -> None:
    _, two = reads_again(11, 12)
    assert {row.kind for row in two} == {DecisionKind.TOUCHED}
    _, spread = reads_again(11, 12, 18)
    assert {row.kind for row in spread} == {DecisionKind.TOUCHED}


def test_submissions_and_reported_engagements_add_up() -> None:
    world, _ = reads_again(11)
    lead = world.decisions[-1].lead_id
    assert world.does(ActivityKind.ENGAGED, lead, None, at("11:00", 11)) == []
    rows = world.submitted(on(READS, 12))
    assert [row.kind for row in rows] == [DecisionKind.TOUCHED, DecisionKind.QUEUED]


def test_a_new_high_intent_action_wakes_it_at_once_and_its_clocks_run_from_then() -> None:
    world, _ = reads_again(11)
    asks = form("me@tiny.example", 20, "retail", "US", "demo").but(at=at("10:00", 12))
    (routed,) = world.submitted(asks)
    assert (routed.kind, routed.tier, routed.pool) == (DecisionKind.ASSIGNED, "T2", "general-qual")
    assert routed.sla is not None and routed.sla.contact_due_at == at("11:00", 12)


@pytest.mark.parametrize(("employees", "is_nurtured"), [(49, True), (50, False), (450, False), (None, False)], ids=str)
def test_low_intent_is_nurtured_for_self_serve_alone_else_assigned_with_a_day(
    employees: int | None, is_nurtured: bool
) -> None:
    lead = World().arrives(WARM.but(employees=employees, action="whitepaper"))
    assert (lead.tier, lead.kind is DecisionKind.NURTURED) == ("T3", is_nurtured)
    assert is_nurtured or (lead.sla is not None and lead.sla.contact_due_at == at("14:14", 11))


# SCO-1: low scores stay in nurture, where a policy says so


@pytest.mark.parametrize(
    ("behaviour", "kind"), [((), DecisionKind.NURTURED), (("pricing",), DecisionKind.ASSIGNED)], ids=["low", "higher"]
)
def test_a_policy_may_keep_low_scores_in_nurture(behaviour: tuple[str, ...], kind: DecisionKind) -> None:
    world = World(with_rule('tier == "T3" && score < 50'))
    scored = WARM.but(action="whitepaper").scored(world, world.policy)
    lead = scored.lead.model_copy(update={"behaviour": behaviour})
    _, score = judged(world.policy, lead)
    again = scored.model_copy(update={"lead": lead, "score": score.total})
    assert (score.model, world.send("lead.scored", again, SUBMITTED)[0].kind) == ("points-1", kind)


# SCO-2: a predictive model may replace the rule score; if it fails, the rule score is used

PREDICTED = yaml.safe_load(DEFAULT)
PREDICTED["scoring"]["predicted"] = {"answer": "propensity", "model": "propensity-3"}


@pytest.mark.parametrize(
    ("said", "score"),
    [
        pytest.param(73, 73, id="a number"),
        pytest.param(0, 0, id="the least"),
        pytest.param(100, 100, id="the most"),
        pytest.param("12.6", 13, id="rounded"),
        pytest.param(None, 65, id="none"),
        pytest.param("high", 65, id="a word"),
        pytest.param(101, 65, id="too much"),
        pytest.param(-1, 65, id="below zero"),
        pytest.param(True, 65, id="yes"),
        pytest.param("nan", 65, id="no number at all"),
    ],
)
def test_a_predicted_score_takes_the_place_of_the_points_unless_it_fails(said: Any, score: int) -> None:
    answers = {} if said is None else {"answers": {"Propensity": said}}
    warm = form("it@lone.example", 450, "saas", "TX", "webinar")
    warm = warm.but(said=warm.said | answers)
    lead = Pipeline(yaml.safe_dump(PREDICTED, sort_keys=False)).arrives(warm)
    assert (lead.score, lead.tier, lead.owner.id) == (score, "T2", "M1")
    assert Pipeline().arrives(warm).score == 65  # off by default


def test_a_predicted_score_is_kept_with_its_models_name() -> None:
    policy = compile_policy(yaml.safe_dump(PREDICTED, sort_keys=False))
    lead = WARM.lead("a" * 32).model_copy(update={"answers": {"propensity": 73}})
    _, score = judged(policy, lead)
    assert (score.total, score.parts, score.model) == (73, {"predicted": 73}, "propensity-3")
