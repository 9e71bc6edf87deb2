"""HubSpot, CRM v3 objects API: contacts, upserted by a unique property that holds our lead id."""

import re
from typing import Any
from urllib.parse import quote

import orjson

from notifiers.crm.record import CrmRecord, receipt_of, record_of
from notifiers.http import call
from notifiers.message import Message
from notifiers.outcome import Refused, Retryable, Sent
from notifiers.outside import Outside
from notifiers.settings import HubSpotSettings

_EXISTING = re.compile(rb"Existing ID: (\d+)")


async def write(message: Message, hubspot: HubSpotSettings, outside: Outside, timeout_seconds: float) -> Sent:
    """Upsert the lead's contact. One that HubSpot already has under the same mail address is taken over.

    Raises Retryable or Refused.
    """
    record = record_of(message, "hubspot")
    headers = {"Authorization": f"Bearer {hubspot.token.get_secret_value()}", "Content-Type": "application/json"}
    base = f"{hubspot.base_url.rstrip('/')}/crm/v3/objects/contacts"

    async def request(method: str, url: str, body: dict[str, Any]) -> tuple[int, bytes]:
        status, _, answer = await call(
            outside.session,
            method,
            url,
            name="HubSpot",
            timeout_seconds=timeout_seconds,
            accepted=frozenset({409}),
            data=orjson.dumps(body),
            headers=headers,
        )
        return status, answer

    properties = properties_of(record, hubspot)
    if record.foreign_id is not None:
        await request("PATCH", f"{base}/{quote(record.foreign_id, safe='')}", {"properties": properties})
        return Sent()
    row = {"idProperty": hubspot.external_id, "id": record.lead_id, "properties": properties}
    status, answer = await request("POST", f"{base}/batch/upsert", {"inputs": [row]})
    existing = _EXISTING.search(answer) if status in (207, 409) else None
    if existing is not None:
        _, answer = await request("PATCH", f"{base}/{existing[1].decode()}", {"properties": properties})
    elif status == 409:
        raise Retryable("HubSpot answered 409")
    elif status == 207:
        raise Refused("HubSpot took the batch and refused the contact")
    return Sent(receipt_of(answer, "hubspot"))


def properties_of(record: CrmRecord, hubspot: HubSpotSettings) -> dict[str, str]:
    """Return the contact's properties; unknown ones are left as they are in HubSpot."""
    values = {
        hubspot.external_id: record.lead_id,
        "hubspot_owner_id": record.owner,
        "email": record.email,
        "phone": record.phone,
        "firstname": record.first_name,
        "lastname": record.last_name,
        "company": record.company,
        "leadstream_tier": record.tier,
        "leadstream_rule": record.rule,
        "leadstream_score": str(record.score),
        "leadstream_due": record.due,
    }
    return {name: value for name, value in values.items() if value is not None}
