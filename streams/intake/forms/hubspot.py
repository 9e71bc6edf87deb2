"""HubSpot: the webhook of a workflow that a form starts; the payload is the contact.

Signature v3: `X-HubSpot-Signature-v3`, base64 HMAC-SHA256 over method, URL, body and `X-HubSpot-Request-Timestamp`, not
older than five minutes (developers.hubspot.com/docs/api/webhooks/validating-requests). Payload: the contact as its
legacy API gives it, `vid`, `properties.<name>.value` and `form-submissions` with `conversion-id` and `timestamp`; newer
workflows send plain `properties` and an object id. Both are read.
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from notifiers.crm.hubspot_webhook import is_signed as is_signed_by_hubspot
from streams.intake.forms.answers import Answered, lead_of
from streams.intake.forms.call import Call, CallRefused, Fetch, Kind, Lead
from streams.intake.forms.source import Form

# Properties that HubSpot keeps about a contact rather than asks it; of hundreds, those that a lead has a use for.
_READ_WORDS = (
    "email phone mobilephone firstname lastname company website jobtitle industry country state city zip message "
    "numberofemployees hs_language hs_linkedin_url numemployees"
)
_READ = frozenset(_READ_WORDS.split())
_NAMES = {"hs_language": "language", "hs_linkedin_url": "linkedin", "numemployees": "employees", "zip": "postcode"}


def is_signed(call: Call, form: Form) -> bool:
    """Tell whether HubSpot signed the call in the last five minutes."""
    return is_signed_by_hubspot(call.body, call.headers, call.url, form.secret.get_secret_value(), call.now)


async def leads(call: Call, form: Form, _fetch: Fetch) -> tuple[Lead, ...]:
    """Return the contact as a submission. The conversion makes a repeat recognisable. Raises CallRefused."""
    try:
        contact = orjson.loads(call.body)
        properties = {str(name): _value(row) for name, row in contact["properties"].items()}
        contact_id = str(contact.get("vid") or contact.get("objectId") or contact.get("hs_object_id") or "")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CallRefused("the body is no HubSpot contact: properties, and vid or objectId") from error
    if not contact_id:
        raise CallRefused("the body has no contact id: vid or objectId")
    conversion, at, title = _latest(contact)
    read = {name: value for name, value in properties.items() if name in _READ or name in form.source.fields}
    answers = [Answered((_NAMES.get(name, name), name), value) for name, value in read.items()]
    return (
        lead_of(
            answers,
            form,
            f"hubspot/{contact_id}/{conversion or properties.get('lastmodifieddate') or call.now.date().isoformat()}",
            {"submitted_at": at, "form": title, "foreign_id": f"hubspot:{contact_id}"},
        ),
    )


def _value(row: Any) -> Any:
    return row.get("value") if isinstance(row, dict) else row


def _latest(contact: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Return the last form submission of the contact: conversion id, instant, form title."""
    rows = [row for row in contact.get("form-submissions") or () if isinstance(row, dict) and row.get("conversion-id")]
    if not rows:
        return None, None, None
    last = max(rows, key=lambda row: row.get("timestamp") or 0)
    at = last.get("timestamp")
    instant = datetime.fromtimestamp(at / 1000, UTC).isoformat() if isinstance(at, int) else None
    return str(last["conversion-id"]), instant, last.get("title")


KIND = Kind(is_signed, leads)
