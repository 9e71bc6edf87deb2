"""Any tool that can sign its JSON body with HMAC-SHA256: one submission, or an array of them, in our own field names.

`signature_header` holds the digest in hex or base64 (`signature_encoding`), with or without "sha256=" before it. Each
submission brings its own `id`; without one, the digest of the submission stands in, so that a repeat has it again.
"""

import hashlib
from typing import Any

import orjson

from streams.intake.forms.answers import Answered, lead_of
from streams.intake.forms.call import Call, CallRefused, Fetch, Kind, Lead, base64_digest, hex_digest, is_same
from streams.intake.forms.source import Form

_AS_THEY_ARE = frozenset({"answers", "behaviour", "transcript", "message", "step", "session", "trap", "fill_seconds",
                          "ip", "bot_qualified", "action", "source", "submitted_at", "form", "consent"})  # fmt: skip


def is_signed(call: Call, form: Form) -> bool:
    """Tell whether the body is signed with the form's secret."""
    digest = hex_digest if form.source.signature_encoding == "hex" else base64_digest
    given = call.headers.get(form.source.signature_header.lower(), "").removeprefix("sha256=")
    return is_same(digest(form.secret.get_secret_value(), call.body), given)


async def leads(call: Call, form: Form, _fetch: Fetch) -> tuple[Lead, ...]:
    """Return the submissions of the body. Raises CallRefused."""
    try:
        said = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise CallRefused("the body is no JSON") from error
    rows = said if isinstance(said, list) else [said]
    if not all(isinstance(row, dict) for row in rows):
        raise CallRefused("the body is neither an object nor an array of objects")
    return tuple(_lead(row, form) for row in rows)


def _lead(row: dict[str, Any], form: Form) -> Lead:
    own = row.get("id") or hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()
    kept = {name: value for name, value in row.items() if name in _AS_THEY_ARE and name not in form.source.fields}
    asked = [Answered((name,), value) for name, value in row.items() if name not in kept and name != "id"]
    found = lead_of(asked, form, f"{form.name}/{own}")
    own_answers = kept.pop("answers", None)
    questions = {**found.get("answers", {}), **(own_answers if isinstance(own_answers, dict) else {})}
    return {**found, **kept, **({"answers": questions} if questions else {})}


KIND = Kind(is_signed, leads)
