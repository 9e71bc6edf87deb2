"""Typeform: a signed POST a response. The payload is complete.

Signature: `Typeform-Signature: sha256=<base64 of HMAC-SHA256 over the raw body>`
(www.typeform.com/developers/webhooks/secure-your-webhooks). Payload: `form_response` with `token`, `submitted_at`,
`hidden`, `definition.fields` and `answers` (www.typeform.com/developers/webhooks/example-payload).
"""

from collections.abc import Iterator
from typing import Any

import orjson

from streams.intake.forms.answers import Answered, lead_of
from streams.intake.forms.call import Call, CallRefused, Fetch, Kind, Lead, base64_digest, is_same
from streams.intake.forms.source import Form


def is_signed(call: Call, form: Form) -> bool:
    """Tell whether Typeform signed the call."""
    expected = "sha256=" + base64_digest(form.secret.get_secret_value(), call.body)
    return is_same(expected, call.headers.get("typeform-signature", ""))


async def leads(call: Call, form: Form, _fetch: Fetch) -> tuple[Lead, ...]:
    """Return the response as a submission; its token makes a repeat recognisable. Raises CallRefused."""
    try:
        payload = orjson.loads(call.body)
        response = payload["form_response"]
        token, rows = response["token"], response["answers"]
        titles = {field["id"]: field.get("title") for field in response.get("definition", {}).get("fields", ())}
        answers = [*_hidden(response), *(_answered(row, titles) for row in rows)]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CallRefused("the body is no Typeform response: form_response with token and answers") from error
    return (lead_of(answers, form, f"typeform/{token}", {"submitted_at": response.get("submitted_at")}),)


def _answered(row: dict[str, Any], titles: dict[str, Any]) -> Answered:
    field = row["field"]
    names = (titles.get(field["id"]), field.get("ref"), field["id"], _BY_TYPE.get(row["type"]))
    return Answered(tuple(str(name) for name in names if name), _value(row))


_BY_TYPE = {"email": "email", "phone_number": "phone"}
"""What an answer of this type is where its question's wording does not tell."""


def _value(row: dict[str, Any]) -> Any:
    value = row.get(row["type"])
    if isinstance(value, dict):  # choice: label or other; choices: labels
        return value.get("label") or value.get("other") or ", ".join(value.get("labels", ()))
    return value


def _hidden(response: dict[str, Any]) -> Iterator[Answered]:
    for name, value in (response.get("hidden") or {}).items():
        yield Answered((str(name),), value)


KIND = Kind(is_signed, leads)
