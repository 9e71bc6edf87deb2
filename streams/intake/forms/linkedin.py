"""LinkedIn lead gen forms: a signed POST names the lead; what it said, and what was asked, is fetched.

Signature: `X-LI-Signature`, the hex HMAC-SHA256 over "hmacsha256=" and the raw body under the client secret; a GET with
`challengeCode` is answered with the code and its HMAC, every two hours
(learn.microsoft.com/linkedin/shared/api-guide/webhook-validation). Payload: type LEAD_ACTION, leadGenFormResponse (a
URN), leadAction CREATED or DELETED; then `GET /rest/leadFormResponses/{id}` and, for what its question ids mean,
`GET /rest/leadForms/{id}` (learn.microsoft.com/linkedin/marketing/lead-sync/leadsync and …/lead-sync-schema). The two
answers' shapes are by the documented field names; nobody has run this against a live account.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from streams.intake.forms.answers import Answered, lead_of
from streams.intake.forms.call import Call, CallRefused, Fetch, Kind, Lead, hex_digest, is_same
from streams.intake.forms.source import Form

_BASE = "https://api.linkedin.com/rest"
_VERSION = "202510"
_PREFIX = "hmacsha256="
# LinkedIn's own questions, by `predefinedField`, as the field of a submission.
_PREDEFINED = {
    "FIRST_NAME": "first_name",
    "LAST_NAME": "last_name",
    "EMAIL": "email",
    "WORK_EMAIL": "email",
    "PHONE_NUMBER": "phone",
    "WORK_PHONE_NUMBER": "phone",
    "COMPANY_NAME": "company",
    "COMPANY_SIZE": "employees",
    "INDUSTRY": "industry",
    "JOB_TITLE": "title",
    "COUNTRY": "country",
    "STATE": "state",
    "CITY": "city",
    "ZIP_CODE": "postcode",
    "LINKEDIN_PROFILE_LINK": "linkedin",
}


def is_signed(call: Call, form: Form) -> bool:
    """Tell whether LinkedIn signed the call."""
    expected = hex_digest(form.secret.get_secret_value(), _PREFIX.encode() + call.body)
    return is_same(expected, call.headers.get("x-li-signature", "").removeprefix(_PREFIX))


async def leads(call: Call, form: Form, fetch: Fetch) -> tuple[Lead, ...]:
    """Return the lead of the call, fetched; none for another action. Raises CallRefused, NotReachable."""
    try:
        payload = orjson.loads(call.body)
        if payload["type"] != "LEAD_ACTION" or payload.get("leadAction") != "CREATED":
            return ()
        lead_id = str(payload["leadGenFormResponse"]).rsplit(":", 1)[-1]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CallRefused("the body is no LinkedIn notification: type and leadGenFormResponse") from error
    response = await _fetched(f"leadFormResponses/{quote(lead_id, safe='')}", form, fetch)
    try:
        said = response["formResponse"]
        answers = said["answers"]
        form_id = str(response["versionedLeadGenFormUrn"]).partition("leadGenForm:")[2].split(",")[0].rstrip(")")
    except (KeyError, TypeError, AttributeError) as error:
        raise CallRefused("LinkedIn's answer has no formResponse.answers") from error
    asked = await _questions(form_id, form, fetch)
    at = response.get("submittedAt")
    return (
        lead_of(
            [Answered(asked.get(row.get("questionId"), (str(row.get("questionId")),)), _value(row)) for row in answers],
            form,
            f"linkedin/{lead_id}",
            {
                "submitted_at": datetime.fromtimestamp(at / 1000, UTC).isoformat() if isinstance(at, int) else None,
                "source": form.source.lead.get("source", "ads"),
                "is_test": bool(response.get("testLead")) or None,
            },
        ),
    )


def challenge(query: Mapping[str, str], form: Form) -> dict[str, str] | None:
    """Return the answer to LinkedIn's validation, None where there is no code in it."""
    code = query.get("challengeCode")
    if not code:
        return None
    return {"challengeCode": code, "challengeResponse": hex_digest(form.secret.get_secret_value(), code.encode())}


async def _questions(form_id: str, form: Form, fetch: Fetch) -> dict[Any, tuple[str, ...]]:
    """Return question id -> what it may be called by."""
    if not form_id.isdigit():
        return {}
    found = await _fetched(f"leadForms/{form_id}", form, fetch)
    content = found.get("content", found) if isinstance(found, dict) else {}
    rows = content.get("questions") or ()
    return {row.get("questionId"): _names(row) for row in rows if isinstance(row, dict)}


def _names(row: dict[str, Any]) -> tuple[str, ...]:
    text = row.get("question")
    if isinstance(text, dict):  # a text in several languages
        text = next(iter((text.get("localized") or {}).values()), None)
    names = (_PREDEFINED.get(str(row.get("predefinedField"))), row.get("name"), text, row.get("questionId"))
    return tuple(str(name) for name in names if name)


def _value(row: dict[str, Any]) -> Any:
    details = row.get("answerDetails") or {}
    text = (details.get("textQuestionAnswer") or {}).get("answer")
    chosen = (details.get("multipleChoiceAnswer") or {}).get("options")
    return text if text is not None else ", ".join(map(str, chosen)) if isinstance(chosen, list) else None


async def _fetched(path: str, form: Form, fetch: Fetch) -> Any:
    headers = {
        "Authorization": f"Bearer {form.token.get_secret_value()}",
        "LinkedIn-Version": _VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    return await fetch(f"{form.source.base_url or _BASE}/{path}", {}, headers)


KIND = Kind(is_signed, leads, challenge)
