"""The story of a lead, sentence by sentence."""

import pytest

from routing.explain import story
from schemas.decision import DecisionKind
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import Company
from tests.lab.decisions import PERSON, decision, lead, notice


def test_the_story_names_what_two_companies_of_one_domain_differ_in() -> None:
    contested = lead(conflicts=("company.employees", "company.industry"))
    assert "differ in employees, industry: taken as unknown." in story([decision(lead=contested)])
    assert "taken as unknown" not in story([decision(lead=lead())])


def test_of_many_rules_that_did_not_match_the_last_are_told_and_the_others_counted() -> None:
    missed = [
        {"rule": f"rule {n}", "matched": False, "field": "segment", "actual": "smb", "expected": "enterprise"}
        for n in range(15)
    ]
    said = story([decision(trace={"tried": [*missed, {"rule": "everything else", "matched": True}]})])
    assert "3 rules before did not match." in said
    assert 'Rule "rule 2" did not match' not in said and 'Rule "rule 3" did not match' in said


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        ("business", '== "personal"', "mail.kind is business, wanted personal."),
        ("business", '"personal"', "mail.kind is business, wanted personal."),
        ("business", 'in ["personal", "none"]', 'mail.kind is business, wanted in ["personal", "none"].'),
        ("business", '"a" or "b"', 'mail.kind is business, wanted "a" or "b".'),
        (None, '"', 'mail.kind is unknown, wanted ".'),
        ("business", '== ""', 'mail.kind is business, wanted "".'),
        (False, "true", "mail.kind is no, wanted yes."),
        (12, ">= 50", "mail.kind is 12, wanted >= 50."),
    ],
)
def test_what_a_rule_wanted_is_said_in_words(actual: object, expected: str, said: str) -> None:
    missed = {"rule": "one", "matched": False, "field": "mail.kind", "actual": actual, "expected": expected}
    told = story([decision(trace={"tried": [missed, {"rule": "everything else", "matched": True}]})])
    assert f'Rule "one" did not match: {said}' in told


def test_of_a_rule_that_several_facts_would_each_have_met_all_are_told() -> None:
    wanted = 'lead.is_suspect || mail.kind == "disposable"'
    missed = {"rule": "spam", "matched": False, "field": "lead.is_suspect", "actual": False, "expected": wanted}
    told = story([decision(trace={"tried": [missed, {"rule": "everything else", "matched": True}]})])
    spam = "it looks like spam or the kind of address is disposable"
    assert f'Rule "spam" did not match: it is not so that {spam} (lead.is_suspect is no).' in told


def test_of_a_condition_that_only_cel_reads_its_text_is_told() -> None:
    wanted = "size(lead.flags) > 1 || lead.score % 2 == 0"
    missed = {"rule": "odd", "matched": False, "field": "lead.flags", "actual": None, "expected": wanted}
    told = story([decision(trace={"tried": [missed, {"rule": "everything else", "matched": True}]})])
    assert f'Rule "odd" did not match: lead.flags is unknown, wanted {wanted}.' in told


def test_what_is_to_be_told_is_told_with_what_became_of_it() -> None:
    told = decision(notice(channels=("slack", "email")))
    (one,) = told.notices

    def settled(channel: str, outcome: Outcome, **more: object) -> NoticeSettled:
        fields = {"key": channel, "attempts": 1, "at": told.at, "epoch": 1, "template": one.template, **more}
        return NoticeSettled.model_validate(
            {"decision_id": told.decision_id, "lead_id": told.lead_id, "division": "main", "person": told.person}
            | {"notice": one.id, "audience": "owner", "recipient": "M1", "channel": channel, "outcome": outcome}
            | fields
        )

    failed = settled("slack", Outcome.FAILED, reason="the channel is not configured")
    said = story([told], settled=[failed, settled("email", Outcome.DELIVERED, possible_repeat=True)])
    assert "slack to M1: failed" in said and "the channel is not configured." in said
    assert "email to M1: delivered" in said and "possibly twice." in said
    assert "to M1: " not in story([told]), "nothing is said to have arrived that nobody knows of"
    other = failed.model_copy(update={"decision_id": "another"})
    assert "to M1: " not in story([told], settled=[other])


def test_the_story_begins_with_what_was_known_of_the_lead() -> None:
    began = f"Lead main.{PERSON}.1: "
    known = Company(domain="lone.example", employees=1_450, industry="saas", state="TX", country="US")
    assert story([decision(lead=lead(company=known))]).startswith(
        f"{began}lone.example, 1,450 people, saas, TX, US; asked by demo on 2026-03-10 at 14:14:00 UTC.\n\n"
    )
    assert story([decision(lead=lead(company=Company(), action=None))]).startswith(
        f"{began}company unknown, size unknown, industry unknown, place unknown;"
        " action unknown on 2026-03-10 at 14:14:00 UTC.\n\n"
    )


def test_what_would_have_chosen_otherwise_ends_the_story() -> None:
    assert story([decision()], ("With more people: A.", "Elsewhere: B.")).endswith(
        "\n\nWith more people: A.\nElsewhere: B.\n"
    )
    assert story([decision(policy_hash="abcd")]).endswith("epoch 1, because of lead.scored.\n")


@pytest.mark.parametrize(
    ("kind", "tried", "is_graded"),
    [
        *((kind, True, True) for kind in (DecisionKind.ASSIGNED, DecisionKind.HELD, DecisionKind.QUEUED)),
        (DecisionKind.ASSIGNED, False, False),
        (DecisionKind.ESCALATED, True, False),
        (DecisionKind.CLOSED, False, False),
    ],
)
def test_grade_and_score_are_told_where_rules_gave_the_lead_an_owner(
    kind: DecisionKind, tried: bool, is_graded: bool
) -> None:
    trace = {"tried": [{"rule": "one", "matched": True}]} if tried else {}
    assert ("Tier T1, score 82, segment mid_market." in story([decision(kind=kind, trace=trace)])) is is_graded


def test_an_unknown_segment_is_told_as_such() -> None:
    trace = {"tried": [{"rule": "one", "matched": True}]}
    assert "score 82, segment unknown." in story([decision(segment=None, trace=trace)])


def test_the_policy_is_told_where_one_decided() -> None:
    assert "Decided by policy abcd, epoch 1, because of lead.scored." in story([decision()])
    assert "Decided by policy" not in story([decision(policy_hash="")])


def test_a_notice_that_no_channel_delivered_is_said_to_have_reached_nobody() -> None:
    told = decision(notice(channels=("slack",)))
    (one,) = told.notices
    lost = NoticeSettled.model_validate(
        {"decision_id": told.decision_id, "lead_id": told.lead_id, "division": "main", "person": told.person}
        | {"notice": one.id, "audience": "owner", "recipient": "M1", "channel": "slack", "outcome": Outcome.FAILED}
        | {"key": "k", "attempts": 3, "at": told.at, "epoch": 1, "template": one.template, "all_failed": True}
    )
    assert "No channel reached M1, by 2026-03-10 14:14:00." in story([told], settled=[lost])


def test_of_a_lead_without_a_clock_none_is_told() -> None:
    assert "clock" not in story([decision(sla=None)])
