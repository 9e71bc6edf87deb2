"""A lead that waits for its division's policy: kept with its reason, asked again, never lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from schemas.effects import Effect, Put, Wake
from schemas.lead import LeadEnriched
from schemas.value import value
from streams.stages.person import mark_of

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 300.0  # a policy that is published at last is noticed within five minutes


@value
class Waiting:
    """A lead that waits for its division's policy. body: LeadEnriched as JSON, contact included."""

    body: str
    since: datetime
    tries: int


def decode_waiting(data: bytes) -> Waiting:
    """Return the waiting lead of stored JSON."""
    fields = orjson.loads(data)
    return Waiting(fields["body"], datetime.fromisoformat(fields["since"]), fields["tries"])


def wait(enriched: LeadEnriched, now: datetime, tries: int, reason: str) -> Sequence[Effect]:
    """Keep the lead, with its reason, until the policy is there: asked again after 5, 10, 20 … 300 s."""
    key = f"waiting/{enriched.lead.person}/{mark_of(enriched.lead.event_id)}"
    seconds = min(FIRST_WAIT_SECONDS * 2 ** min(tries, 10), LONGEST_WAIT_SECONDS)
    body = enriched.model_dump_json(exclude_none=True)
    return (
        Put(key, Waiting(body, enriched.enriched_at, tries)),
        Wake(key, now + timedelta(seconds=seconds), "leads.enriched", enriched.lead.person, {"reason": reason}),
    )


def still_waits(effects: Sequence[Effect]) -> bool:
    """Tell whether the effects of a lead are to wait once more."""
    return any(isinstance(effect, Wake) for effect in effects)
