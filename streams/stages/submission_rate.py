"""How often one address or IP submits in a clock hour (CAP-4): above the limit a lead is suspect, never dropped."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from enrichment.normalise.text import plain
from enrichment.quota import hour_of
from schemas.effects import Delete, Put
from schemas.ids import person_id
from schemas.lead import Lead
from schemas.state import StateView
from schemas.value import value

SWEPT_AT_ONCE = 128  # two counts a lead come in at most, so older hours leave faster than they grow


@value
class Rate:
    """Submissions under "rate/<clock hour>/<id>"; the id is keyed, so that the store holds no address."""

    count: int


def decode_rate(data: bytes) -> Rate:
    """Return the count of stored JSON."""
    return Rate(orjson.loads(data)["count"])


def counted(
    state: StateView, lead: Lead, ip: Any, secret: bytes, at: datetime, limit: int
) -> tuple[tuple[str, ...], list[Put]]:
    """Return why the lead looks like one of a flood (empty: it does not), and the counts to keep.

    ip: as submitted, may be anything. at: when the record was taken in, so that a replay counts the same.
    """
    hour = hour_of(at)
    signs: list[str] = []
    effects: list[Put] = []
    address = plain(ip)
    marks = [("email.rate", lead.person)]
    if address:
        marks.append(("ip.rate", person_id(secret, f"ip:{address}")))
    for sign, mark in marks:
        key = f"rate/{hour}/{mark}"
        earlier: Rate | None = state.get(key)
        count = (earlier.count if earlier else 0) + 1
        effects.append(Put(key, Rate(count)))
        if count > limit:
            signs.append(sign)
    return tuple(signs), effects


def swept(state: StateView, at: datetime) -> Iterator[Delete]:
    """Yield the counts of earlier hours, the oldest first, a few at a time: the store stays as small as an hour."""
    this_hour = f"rate/{hour_of(at)}"
    for place, (key, _) in enumerate(state.scan("rate/")):
        if place >= SWEPT_AT_ONCE or key >= this_hour:
            return
        yield Delete(key)
