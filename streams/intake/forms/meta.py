"""Meta lead ads (Facebook, Instagram): a signed POST names the leads; what they said is fetched.

Signature: `X-Hub-Signature-256: sha256=<hex of HMAC-SHA256 over the raw body>` under the app secret; subscribing is a
GET with `hub.mode`, `hub.verify_token` and `hub.challenge`, which is answered as it is
(developers.facebook.com/docs/graph-api/webhooks/getting-started). Payload: `entry[].changes[]` of field `leadgen`, in
`value` leadgen_id, form_id, ad_id, page_id, created_time; the lead by `GET /{leadgen_id}` with `field_data`
(developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving). Meta sends again for 36 hours what was not
answered with 200, and may send one lead twice.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from streams.intake.forms.answers import Answered, lead_of
from streams.intake.forms.call import Call, CallRefused, Fetch, Kind, Lead, hex_digest, is_same
from streams.intake.forms.source import Form

_BASE = "https://graph.facebook.com/v21.0"
_FIELDS = "created_time,ad_id,ad_name,campaign_id,campaign_name,form_id,is_organic,field_data"


def is_signed(call: Call, form: Form) -> bool:
    """Tell whether Meta signed the call."""
    expected = "sha256=" + hex_digest(form.secret.get_secret_value(), call.body)
    return is_same(expected, call.headers.get("x-hub-signature-256", ""))


async def leads(call: Call, form: Form, fetch: Fetch) -> tuple[Lead, ...]:
    """Return the leads of the call, each fetched. Raises CallRefused, NotReachable (Meta then sends it again)."""
    return tuple([await _lead(lead_id, form, fetch) for lead_id in _named(call.body)])


def challenge(query: Mapping[str, str], form: Form) -> str | None:
    """Return what a subscription is confirmed with, None where the verify token is another."""
    wanted = form.verify.get_secret_value()
    is_ours = bool(wanted) and is_same(wanted, query.get("hub.verify_token", ""))
    return query.get("hub.challenge", "") if query.get("hub.mode") == "subscribe" and is_ours else None


def _named(body: bytes) -> list[str]:
    try:
        payload = orjson.loads(body)
        changes = [change for entry in payload["entry"] for change in entry.get("changes", ())]
        found = [str(change["value"]["leadgen_id"]) for change in changes if change.get("field") == "leadgen"]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CallRefused("the body is no Meta notification: entry[].changes[].value.leadgen_id") from error
    if not all(lead_id.isdigit() for lead_id in found):
        raise CallRefused("a leadgen_id is no number")
    return list(dict.fromkeys(found))


async def _lead(lead_id: str, form: Form, fetch: Fetch) -> Lead:
    headers = {"Authorization": f"Bearer {form.token.get_secret_value()}"}
    found = await fetch(f"{form.source.base_url or _BASE}/{lead_id}", {"fields": _FIELDS}, headers)
    try:
        answers = [Answered((str(row["name"]),), _value(row.get("values"))) for row in found["field_data"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise CallRefused("Meta's answer has no field_data") from error
    return lead_of(
        answers,
        form,
        f"meta/{lead_id}",
        {
            "submitted_at": _instant(found.get("created_time")),
            "campaign": found.get("campaign_name"),
            "source": form.source.lead.get("source", "ads"),
        },
    )


def _value(values: Any) -> Any:
    return ", ".join(map(str, values)) if isinstance(values, list) else values


def _instant(stated: Any) -> str | None:
    if isinstance(stated, int):
        return datetime.fromtimestamp(stated, UTC).isoformat()
    return stated if isinstance(stated, str) else None


KIND = Kind(is_signed, leads, challenge)
