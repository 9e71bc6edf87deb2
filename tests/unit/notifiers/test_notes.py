from datetime import timedelta

import pytest

from notifiers.delivery import Ledger, opened
from notifiers.notes import LeadNotes, fresh, noted, overtaken, settled_notes
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Decision
from schemas.delivery import Outcome
from schemas.lead import MailFacts, MailKind
from tests.lab.decisions import NOW, PERSON, decision, lead, notice

SETTINGS = ChannelSettings()
REPLY = notice(id="reply", audience=Audience.LEAD, recipients=(), template="auto_reply")
CRM = notice(id="crm", audience=Audience.CRM, recipients=())


def ledger_of(asked: Decision) -> Ledger:
    return opened(asked, SETTINGS, NOW)


def after(*seen: Decision) -> LeadNotes:
    notes = fresh(SETTINGS, NOW)
    for asked in seen:
        notes = noted(notes, ledger_of(asked), SETTINGS, NOW).notes
    return notes


def why(
    asked: Decision, notes: LeadNotes | None = None, settings: ChannelSettings = SETTINGS, hours: float = 0
) -> list[str]:
    now = NOW + timedelta(hours=hours)
    return [a.reason for a in noted(notes or fresh(settings, now), ledger_of(asked), settings, now).held_back.values()]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"mail": MailFacts(kind=MailKind.DISPOSABLE)}, "the address is disposable", id="disposable"),
        pytest.param({"mail": MailFacts(kind=MailKind.INVALID)}, "the address is invalid", id="invalid"),
        pytest.param({"suspect": ("trap",)}, "the lead is suspect", id="suspect"),
        pytest.param({"has_consent": False}, "no consent", id="no consent"),
    ],
)
def test_an_answer_is_held_back(changes: dict[str, object], reason: str) -> None:
    assert why(decision(REPLY, lead=lead(**changes))) == [reason]


def test_who_unsubscribed_is_not_answered() -> None:
    assert why(decision(REPLY), settings=ChannelSettings(unsubscribed=frozenset({PERSON}))) == ["unsubscribed"]


def test_a_lead_is_answered_once_per_action_within_a_day() -> None:
    notes = after(decision(REPLY))
    assert why(decision(REPLY, decision_id="d2"), notes) == ["already answered"]
    assert why(decision(REPLY, decision_id="d2", lead=lead(action="pricing")), notes) == []
    assert why(decision(REPLY, decision_id="d2"), notes, hours=24) == []


def test_an_answer_that_failed_may_be_given_by_the_next_touch() -> None:
    asked = decision(REPLY)
    ledger = ledger_of(asked)
    failed = ledger.model_copy(
        update={"rows": tuple(row.model_copy(update={"settled": Outcome.FAILED}) for row in ledger.rows)}
    )
    notes = settled_notes(after(asked), failed, {})
    assert why(decision(REPLY, decision_id="d2"), notes) == []


def test_an_older_owner_never_overwrites_a_newer_one_in_the_crm() -> None:
    old, new = decision(CRM), decision(CRM, decision_id="d2", at=NOW + timedelta(seconds=1))
    notes = after(old, new)
    assert [a.result for a in overtaken(notes, ledger_of(old), NOW).values()] == [Try.OVERTAKEN]
    assert overtaken(notes, ledger_of(new), NOW) == {}


def test_a_late_notice_to_an_owner_who_lost_the_lead_is_not_sent() -> None:
    old, new = decision(), decision(decision_id="d2", epoch=2)
    notes = after(old, new)
    assert [a.reason for a in overtaken(notes, ledger_of(old), NOW).values()] == ["the lead has moved on"]


def test_the_thread_of_a_lead_is_remembered_per_conversation() -> None:
    asked = decision(notice(channels=("slack",)))
    ledger = ledger_of(asked)
    sent = Attempt(Try.DELIVERED, NOW, receipt={"channel": "D1", "ts": "1.2"})
    notes = settled_notes(after(asked), ledger, {ledger.rows[0].key: sent})
    assert notes.threads == {"slack/M1": {"channel": "D1", "ts": "1.2"}}


def test_the_memory_of_a_lead_is_bounded() -> None:
    notes = after(*(decision(decision_id=f"d{number}") for number in range(200)))
    assert len(notes.handled) == 64


def test_notes_hold_no_personal_data() -> None:
    text = after(decision(REPLY, CRM, notice())).model_dump_json()
    for secret in ("Cora", "lone.example", "12125550199"):
        assert secret not in text
