"""What earlier steps of a form said, until its last one comes (CAP-5): kept a day, readable by that step alone.

A draft is encrypted under a key made of the person secret and the form's session, and the session is not kept: the
store of ENRICH and its changelog hold no contact, and a draft that nobody finishes can't be read by anybody.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from schemas.effects import Delete, Put
from schemas.ids import person_id
from schemas.lead import RawLead
from schemas.state import StateView
from schemas.value import value

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST_BYTES = 100_000
LONGEST_SESSION = 200
SWEPT_AT_ONCE = 64
_OF_A_STEP = frozenset({"id", "step", "submitted_at", "fill_seconds"})  # said anew by each; the last one's count

Fields = Mapping[str, Any]


@value
class Draft:
    """Under "draft/<day of the step>/<keyed session>": the fields so far, encrypted, in base64."""

    box: str


def decode_draft(data: bytes) -> Draft:
    """Return the draft of stored JSON."""
    return Draft(orjson.loads(data)["box"])


def session_of(raw: RawLead) -> str | None:
    """Return which filling of a form a submission belongs to, None where it says none that can be used."""
    session = raw.fields.get("session")
    return session if isinstance(session, str) and 1 <= len(session) <= LONGEST_SESSION else None


def together(earlier: Fields, later: Fields) -> dict[str, Any]:
    """Return two steps as one: the later one counts, what it leaves blank does not; answers are put together."""
    found = {**earlier, **{name: value for name, value in later.items() if value not in (None, "")}}
    before, after = earlier.get("answers"), later.get("answers")
    if isinstance(before, dict) and isinstance(after, dict):
        found["answers"] = {**before, **after}
    return found


def of_the_form(raw: RawLead) -> dict[str, Any]:
    """Return what a step says for the whole form."""
    return {name: value for name, value in raw.fields.items() if name not in _OF_A_STEP}


def so_far(state: StateView, raw: RawLead, secret: bytes, at: datetime) -> dict[str, Any]:
    """Return what the earlier steps of the submission's session said; empty where there were none in a day."""
    session = session_of(raw)
    if session is None:
        return {}
    for key in _keys(session, secret, at):
        draft: Draft | None = state.get(key)
        if draft is not None:
            return _opened(draft, session, secret)
    return {}


def kept(state: StateView, raw: RawLead, secret: bytes, at: datetime) -> Sequence[Put]:
    """Return the draft after one more step. at: when the record was taken in, so that a replay keeps the same."""
    session = session_of(raw)
    if session is None:
        return ()
    data = orjson.dumps(together(so_far(state, raw, secret, at), of_the_form(raw)))
    if len(data) > LONGEST_BYTES:
        return ()
    key = next((key for key in _keys(session, secret, at) if state.get(key) is not None), _key(session, secret, at))
    box = _cipher(session, secret).encrypt(data, None)
    return (Put(key, Draft(b64encode(box).decode())),)


def finished(state: StateView, raw: RawLead, secret: bytes, at: datetime) -> Iterator[Delete]:
    """Yield the end of a session's draft: its last step has come."""
    session = session_of(raw)
    if session is not None:
        for key in _keys(session, secret, at):
            if state.get(key) is not None:
                yield Delete(key)


def swept(state: StateView, at: datetime) -> Iterator[Delete]:
    """Yield the drafts of the day before yesterday and earlier, a few at a time."""
    oldest = f"draft/{(at - timedelta(days=1)).date().isoformat()}"
    for place, (key, _) in enumerate(state.scan("draft/")):
        if place >= SWEPT_AT_ONCE or key >= oldest:
            return
        yield Delete(key)


def _keys(session: str, secret: bytes, at: datetime) -> tuple[str, str]:
    return _key(session, secret, at), _key(session, secret, at - timedelta(days=1))


def _key(session: str, secret: bytes, at: datetime) -> str:
    return f"draft/{at.date().isoformat()}/{person_id(secret, f'session:{session}')}"


def _cipher(session: str, secret: bytes) -> "AESSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # 6 MB, which forms of one step need not

    return AESSIV(hmac.new(secret, f"draft:{session}".encode(), hashlib.sha512).digest())


def _opened(draft: Draft, session: str, secret: bytes) -> dict[str, Any]:
    from cryptography.exceptions import InvalidTag

    try:
        found = orjson.loads(_cipher(session, secret).decrypt(b64decode(draft.box), None))
    except InvalidTag:  # the person secret was changed meanwhile: what the step itself says must do
        return {}
    return found if isinstance(found, dict) else {}
