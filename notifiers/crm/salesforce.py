"""Salesforce REST API: Lead, upserted by an external-id field that holds our lead id."""

from typing import Any
from urllib.parse import quote

import orjson

from notifiers.crm.record import CrmRecord, receipt_of, record_of
from notifiers.http import call
from notifiers.message import Message
from notifiers.outcome import Sent
from notifiers.outside import Outside
from notifiers.settings import SalesforceSettings


async def write(message: Message, salesforce: SalesforceSettings, outside: Outside, timeout_seconds: float) -> Sent:
    """Upsert the Lead by external id, or update the one it came from. Raises Retryable or Refused."""
    record = record_of(message, "salesforce")
    base = f"{salesforce.instance_url.rstrip('/')}/services/data/{salesforce.api_version}/sobjects/Lead"
    values = fields_of(record)
    if record.foreign_id is not None:
        url = f"{base}/{quote(record.foreign_id, safe='')}"
        values[salesforce.external_id] = record.lead_id
    else:
        # The id stands in the address; Salesforce refuses it in the body as well.
        url = f"{base}/{quote(salesforce.external_id, safe='')}/{quote(record.lead_id, safe='')}"
    _, _, answer = await call(
        outside.session,
        "PATCH",
        url,
        name="Salesforce",
        timeout_seconds=timeout_seconds,
        data=orjson.dumps(values),
        headers={
            "Authorization": f"Bearer {salesforce.token.get_secret_value()}",
            "Content-Type": "application/json",
        },
    )
    return Sent(receipt_of(answer, "salesforce"))


def fields_of(record: CrmRecord) -> dict[str, Any]:
    """Return the Lead's fields. LastName and Company are required by Salesforce, so they are never empty."""
    values = {
        "LastName": record.last_name or record.email or "Unknown",
        "FirstName": record.first_name,
        "Company": record.company or "Unknown",
        "Email": record.email,
        "Phone": record.phone,
        "OwnerId": record.owner,
        "Leadstream_Tier__c": record.tier,
        "Leadstream_Rule__c": record.rule,
        "Leadstream_Score__c": record.score,
        "Leadstream_Due__c": record.due,
    }
    return {name: value for name, value in values.items() if value is not None}
