"""What every CRM is told about a lead, in our words; each adapter maps it to its own."""

from dataclasses import dataclass
from typing import Any

import orjson

from notifiers.message import Message

FOREIGN_ID = "foreign_id"
"""In a receipt: the id that the CRM gave the record, "hubspot:123"."""


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One lead for a CRM. owner: the CRM's own user id, None if the roster does not know it (then it is not touched).

    foreign_id: the record's id in the CRM, where the lead came from there. due: ISO 8601.
    """

    lead_id: str
    foreign_id: str | None
    owner: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    company: str | None
    tier: str
    rule: str | None
    score: int
    due: str | None


def record_of(message: Message, system: str) -> CrmRecord:
    """Return the record of a message's lead. system: prefix of foreign ids that are the CRM's own ("hubspot")."""
    data, contact = message.data, message.contact
    prefix, _, foreign = str(data.get("foreign_id") or "").partition(":")
    company: dict[str, Any] = data.get("company") or {}
    name = str(contact.get("name") or "").split()
    return CrmRecord(
        lead_id=message.lead_id,
        foreign_id=foreign if prefix == system and foreign else None,
        owner=data.get("owner_crm_id"),
        email=contact.get("email"),
        phone=contact.get("phone"),
        first_name=contact.get("first_name") or (name[0] if len(name) > 1 else None),
        last_name=contact.get("last_name") or (name[-1] if name else None),
        company=company.get("name") or company.get("domain"),
        tier=str(data["tier"]),
        rule=data.get("rule"),
        score=int(data.get("score") or 0),
        due=data.get("contact_due_at"),
    )


def receipt_of(answer: bytes, system: str) -> dict[str, str]:
    """Return the receipt of a CRM's answer, {"id": …} or {"results": [{"id": …}]}; empty where it names no record."""
    try:
        said = orjson.loads(answer)
        row = said["results"][0] if "results" in said else said
        return {FOREIGN_ID: f"{system}:{row['id']}"}
    except (ValueError, KeyError, IndexError, TypeError):
        return {}
