from datetime import timedelta

from notifiers.delivery import delivery_key, due, opened, wakes_at
from notifiers.settings import ChannelSettings, WebhookSettings
from schemas.decision import Audience
from tests.lab.decisions import NOW, contact, decision, notice

SETTINGS = ChannelSettings(fallback=())


def test_a_decision_gives_one_delivery_per_notice_recipient_and_channel() -> None:
    asked = decision(
        notice(channels=("email", "slack")),
        notice(id="alert", audience=Audience.MANAGER, recipients=("MM", "M2"), channels=("email",)),
        notice(id="crm", audience=Audience.CRM, recipients=()),
        notice(id="reply", audience=Audience.LEAD, recipients=(), channels=("slack", "email")),
    )
    assert [(row.notice, row.recipient, row.channel) for row in opened(asked, SETTINGS, NOW).rows] == [
        ("owner", "M1", "email"),
        ("owner", "M1", "slack"),
        ("alert", "MM", "email"),
        ("alert", "M2", "email"),
        ("crm", "crm", "crm"),
        ("reply", "lead", "email"),
    ]


def test_every_webhook_is_a_recipient_of_its_own() -> None:
    hook = WebhookSettings(url="https://a.example", secret="whsec_AAAA")
    settings = ChannelSettings(webhooks={"a": hook, "b": hook})
    ledger = opened(decision(notice(audience=Audience.WEBHOOK, recipients=())), settings, NOW)
    assert [row.recipient for row in ledger.rows] == ["a", "b"]


def test_a_key_is_made_of_ids_alone() -> None:
    later = opened(decision(), SETTINGS, NOW + timedelta(days=1))
    assert [row.key for row in opened(decision(), SETTINGS, NOW).rows] == [row.key for row in later.rows]
    assert delivery_key("d1", "owner", "M1", "email") == "b9b2debb-a453-5321-96ad-f58c8bedc969"


def test_nothing_is_tried_before_its_release_or_after_its_end() -> None:
    release = NOW + timedelta(hours=1)
    ledger = opened(decision(notice(channels=("slack",), release_at={"slack": release})), SETTINGS, NOW)
    assert due(ledger, NOW) == ()
    assert wakes_at(ledger) == release
    assert len(due(ledger, release)) == 1
    assert due(ledger, release + timedelta(days=2)) == ()


def test_a_ledger_keeps_neither_the_trace_nor_the_raw_submission() -> None:
    asked = decision(trace={"rules": ["r"]}, contact=contact(raw={"ssn": "1"}))
    kept = opened(asked, SETTINGS, NOW).decision
    assert kept.trace == {}
    assert kept.contact is not None
    assert kept.contact.raw == {}
    assert kept.contact.email == "coo@lone.example"
