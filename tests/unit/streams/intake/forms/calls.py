"""What form tools send, how each signs it, and what must come of it: shapes of their public documentation.

Typeform www.typeform.com/developers/webhooks/example-payload; Meta developers.facebook.com/docs/graph-api/
webhooks/getting-started/webhooks-for-leadgen and /docs/marketing-api/guides/lead-ads/retrieving; LinkedIn
learn.microsoft.com/linkedin/marketing/lead-sync/leadsync and …/lead-sync-schema; HubSpot developers.hubspot.com/docs/
api/webhooks/validating-requests and the contact of its legacy API. The values are made up.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECRET = "form-secret"
PUBLIC = "https://in.example"

TYPEFORM: dict[str, Any] = {
    "event_id": "01HTYPEFORMEVENT",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a1365927098a606107fac15",
        "landed_at": "2026-03-10T14:12:00Z",
        "submitted_at": "2026-03-10T14:14:00Z",
        "hidden": {"utm_source": "newsletter", "plan": "team"},
        "definition": {
            "id": "lT4Z3j",
            "title": "Talk to us",
            "fields": [
                {"id": "DlXFaesGBpoF", "title": "Your work email?", "type": "email", "ref": "r1"},
                {"id": "SMEUb7VJz92Q", "title": "Company size", "type": "multiple_choice", "ref": "r2"},
                {"id": "JwWggjAKtOkA", "title": "First name", "type": "short_text", "ref": "r3"},
                {"id": "KoJxDM3c6x8h", "title": "Which tools do you use?", "type": "multiple_choice", "ref": "r4"},
                {"id": "PNe8ZKBK8C2Q", "title": "Call me back", "type": "phone_number", "ref": "r5"},
            ],
        },
        "answers": [
            {"type": "email", "email": "ada@acme.example", "field": {"id": "DlXFaesGBpoF", "ref": "r1"}},
            {"type": "choice", "choice": {"label": "201-500"}, "field": {"id": "SMEUb7VJz92Q", "ref": "r2"}},
            {"type": "text", "text": "Ada", "field": {"id": "JwWggjAKtOkA", "ref": "r3"}},
            {"type": "choices", "choices": {"labels": ["Slack", "Jira"]}, "field": {"id": "KoJxDM3c6x8h", "ref": "r4"}},
            {"type": "phone_number", "phone_number": "+15128675309", "field": {"id": "PNe8ZKBK8C2Q", "ref": "r5"}},
        ],
    },
}  # fmt: skip
META: dict[str, Any] = {
    "object": "page",
    "entry": [
        {
            "id": "153125381133",
            "time": 1773152041,
            "changes": [
                {
                    "field": "leadgen",
                    "value": {
                        "leadgen_id": "123123123123",
                        "page_id": "153125381133",
                        "form_id": "12312312312",
                        "adgroup_id": "12312312312",
                        "ad_id": "12312312312",
                        "created_time": 1773152040,
                    },
                }
            ],
        }
    ],
}
META_LEAD: dict[str, Any] = {
    "created_time": "2026-03-10T14:14:00+0000",
    "id": "123123123123",
    "ad_id": "12312312312",
    "form_id": "12312312312",
    "campaign_name": "spring",
    "field_data": [
        {"name": "email", "values": ["ada@acme.example"]},
        {"name": "full_name", "values": ["Ada Lovelace"]},
        {"name": "company_name", "values": ["Acme"]},
        {"name": "what_do_you_need?", "values": ["a demo"]},
    ],
}
LINKEDIN: dict[str, Any] = {
    "type": "LEAD_ACTION",
    "leadGenFormResponse": "urn:li:leadGenFormResponse:a1b2-c3",
    "leadGenForm": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
    "leadType": "SPONSORED",
    "leadAction": "CREATED",
    "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:520866471"},
    "occurredAt": 1773152040000,
}
LINKEDIN_LEAD: dict[str, Any] = {
    "id": "a1b2-c3",
    "owner": {"sponsoredAccount": "urn:li:sponsoredAccount:520866471"},
    "leadType": "SPONSORED",
    "submitter": "urn:li:person:MpGcnvaU_p",
    "versionedLeadGenFormUrn": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:3162,1)",
    "submittedAt": 1773152040000,
    "testLead": False,
    "formResponse": {
        "answers": [
            {"questionId": 1, "answerDetails": {"textQuestionAnswer": {"answer": "ada@acme.example"}}},
            {"questionId": 2, "answerDetails": {"textQuestionAnswer": {"answer": "201-500"}}},
            {"questionId": 3, "answerDetails": {"multipleChoiceAnswer": {"options": [2]}}},
        ],
        "consentResponses": [],
    },
}
LINKEDIN_FORM: dict[str, Any] = {
    "id": 3162,
    "content": {
        "questions": [
            {"questionId": 1, "predefinedField": "EMAIL", "name": "email"},
            {"questionId": 2, "predefinedField": "COMPANY_SIZE", "name": "size"},
            {"questionId": 3, "question": {"localized": {"en_US": "When do you start?"}}, "name": "start"},
        ]
    },
}
HUBSPOT: dict[str, Any] = {
    "vid": 201,
    "canonical-vid": 201,
    "portal-id": 62515,
    "is-contact": True,
    "properties": {
        "email": {"value": "ada@acme.example", "versions": []},
        "firstname": {"value": "Ada", "versions": []},
        "company": {"value": "Acme", "versions": []},
        "numberofemployees": {"value": "300", "versions": []},
        "hs_analytics_source": {"value": "OFFLINE", "versions": []},
    },
    "form-submissions": [
        {"conversion-id": "old", "timestamp": 1773000000000, "form-id": "f", "title": "Newsletter"},
        {"conversion-id": "8a5c", "timestamp": 1773152040000, "form-id": "f", "title": "Request a demo"},
    ],
}
GENERIC: dict[str, Any] = {
    "id": "x-1",
    "Email address": "ada@acme.example",
    "How did you find us?": "a friend",
    "transcript": [{"from": "bot", "text": "Hello"}, {"from": "visitor", "text": "I want a demo"}],
    "bot_qualified": True,
}


def signed_typeform(body: bytes, _path: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return {"Typeform-Signature": "sha256=" + base64.b64encode(digest).decode()}


def signed_meta(body: bytes, _path: str) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def signed_linkedin(body: bytes, _path: str) -> dict[str, str]:
    return {"X-LI-Signature": hmac.new(SECRET.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()}


def signed_hubspot(body: bytes, path: str, at: float | None = None) -> dict[str, str]:
    stamp = str(int((at or time.time()) * 1000))
    text = b"POST" + f"{PUBLIC}{path}".encode() + body + stamp.encode()
    digest = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    return {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": stamp}


def signed_generic(body: bytes, _path: str) -> dict[str, str]:
    return {"X-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


@dataclass(frozen=True)
class Case:
    """One kind: what it sends, how it signs, and what must come of it."""

    payload: dict[str, Any]
    signed: Callable[[bytes, str], dict[str, str]]
    expected: dict[str, Any]


CASES = {
    "typeform": Case(
        TYPEFORM,
        signed_typeform,
        {
            "email": "ada@acme.example", "employees": "201-500", "first_name": "Ada", "phone": "+15128675309",
            "submitted_at": "2026-03-10T14:14:00Z", "action": "demo", "form": "typeform", "id": "typeform/"
            "a3a12ec67a1365927098a606107fac15",
            "answers": {"plan": "team"},
            "questions": {"utm_source": "newsletter", "Which tools do you use?": "Slack, Jira"},
        },
    ),
    "meta": Case(
        META,
        signed_meta,
        {
            "email": "ada@acme.example", "name": "Ada Lovelace", "company": "Acme", "campaign": "spring",
            "submitted_at": "2026-03-10T14:14:00+0000", "source": "ads", "action": "demo", "form": "meta",
            "id": "meta/123123123123", "questions": {"what_do_you_need?": "a demo"},
        },
    ),
    "linkedin": Case(
        LINKEDIN,
        signed_linkedin,
        {
            "email": "ada@acme.example", "employees": "201-500", "source": "ads", "action": "demo", "form": "linkedin",
            "submitted_at": "2026-03-10T14:14:00+00:00", "id": "linkedin/a1b2-c3", "questions": {"start": "2"},
        },
    ),
    "hubspot": Case(
        HUBSPOT,
        signed_hubspot,
        {
            "email": "ada@acme.example", "first_name": "Ada", "company": "Acme", "employees": "300", "action": "demo",
            "submitted_at": "2026-03-10T14:14:00+00:00", "form": "Request a demo", "foreign_id": "hubspot:201",
            "id": "hubspot/201/8a5c",
        },
    ),
    "generic": Case(
        GENERIC,
        signed_generic,
        {
            "email": "ada@acme.example", "action": "demo", "form": "generic", "id": "generic/x-1",
            "questions": {"How did you find us?": "a friend"}, "transcript": GENERIC["transcript"],
            "bot_qualified": True,
        },
    ),
}  # fmt: skip
