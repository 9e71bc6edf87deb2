"""What happened to leads, as signed webhooks for one's own services, Zapier and Make: which record is which event.

One event a record; its id is made of the record's own, so that a receiver that keeps ids counts each once, whatever
died in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from notifiers.address import check_url
from notifiers.channels.webhook import signed_headers
from notifiers.compose import encodable, placed
from notifiers.http import call
from notifiers.outside import Outside
from notifiers.settings import WebhookSettings
from schemas.decision import Decision, DecisionKind
from schemas.delivery import NoticeSettled
from schemas.ids import derived_id
from schemas.lead import Contact, Lead, LeadEnriched, LeadScored, RawLead

TOPICS = ("leads.raw", "leads.enriched", "leads.scored", "leads.assigned", "leads.notified")


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event. data: nothing personal. contact: the person, for receivers that may have it. chain: kept in order."""

    id: str
    type: str
    at: datetime
    chain: str
    data: Mapping[str, Any]
    contact: Mapping[str, Any] = field(default_factory=dict)


def feed_event(record_id: str, value: Any, key: str, at: datetime) -> FeedEvent | None:
    """Return the event that a record is, None where it is none (a wake-up, a tombstone, what changed nothing).

    at: Kafka's time of the record, UTC.
    """
    match value:
        case RawLead():
            # Nothing is checked yet: what came is the person's until ENRICH has told one from the other.
            found = "lead.accepted", {"submission": record_id}, dict(value.fields), record_id
        case LeadEnriched():
            found = "lead.enriched", _lead(value.lead) | {"late": value.is_late}, _contact(value.contact), key
        case LeadScored():
            found = "lead.scored", _scored(value), _contact(value.contact), value.lead.person
        case Decision(kind=DecisionKind.NOTED):
            return None
        case Decision():
            found = f"lead.{value.kind.value}", _decided(value), _contact(value.contact), value.person
        case NoticeSettled():
            found = "notice.settled", value.model_dump(mode="json", exclude={"person"}), {}, value.person
        case _:
            return None
    event_type, data, contact, chain = found
    return FeedEvent(
        derived_id(record_id, "feed", event_type), event_type, at, chain, encodable(data), encodable(contact)
    )


async def posted(event: FeedEvent, receiver: WebhookSettings, outside: Outside) -> None:
    """POST the event; `webhook-id` is its id. Raises Retryable or Refused."""
    check_url(receiver.url, outside.settings.allowed_hosts)
    document: dict[str, Any] = {"type": event.type, "timestamp": event.at.isoformat(), "data": event.data}
    if receiver.sends_contact and event.contact:
        document["contact"] = event.contact
    body = orjson.dumps(document, default=str)
    await call(
        outside.guarded,
        "POST",
        receiver.url,
        name="the webhook",
        timeout_seconds=outside.settings.send_timeout_seconds,
        data=body,
        headers=signed_headers(event.id, body, receiver.secret.get_secret_value()),
    )


def _lead(lead: Lead) -> dict[str, Any]:
    return {
        "submission": lead.event_id,
        "action": lead.action,
        "source": lead.source,
        "received_at": lead.received_at.isoformat(),
        "company": lead.company.model_dump(mode="json", exclude_none=True),
        "foreign_id": lead.foreign_id,
        "is_test": lead.is_test,
    }


def _scored(scored: LeadScored) -> dict[str, Any]:
    return _lead(scored.lead) | {
        "lead_id": scored.lead_id,
        "division": scored.division,
        "touch": scored.touch,
        "tier": scored.tier,
        "segment": scored.segment,
        "score": scored.score,
        "score_parts": scored.score_parts,
        "is_duplicate": scored.duplicate is not None,
    }


def _decided(decision: Decision) -> dict[str, Any]:
    return _lead(decision.lead) | {
        "lead_id": decision.lead_id,
        "decision_id": decision.decision_id,
        "division": decision.division,
        "cause": decision.cause,
        "decided_at": decision.at.isoformat(),
        "epoch": decision.epoch,
        "touch": decision.touch,
        **placed(decision),
        "previous_owner": decision.previous_owner.model_dump(mode="json", exclude_none=True)
        if decision.previous_owner
        else None,
        "sla": decision.sla.model_dump(mode="json", exclude_none=True) if decision.sla else None,
    }


def _contact(contact: Contact | None) -> dict[str, Any]:
    return contact.model_dump(mode="json", exclude={"raw"}, exclude_none=True) if contact else {}
