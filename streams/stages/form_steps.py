"""How far people get in forms of several steps (CAP-5): a count a day, form and step, kept for 35 days.

Names of forms come from outside, so their number has a bound: past it, steps count under "other/other" for the day.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import orjson

from enrichment.fields import Fields
from enrichment.normalise.text import token
from schemas.effects import Delete, Put
from schemas.lead import RawLead
from schemas.state import StateView
from schemas.value import value

FINAL_STEP = "final"
KEPT = timedelta(days=35)
MOST_A_DAY = 500  # steps of all forms together
SWEPT_AT_ONCE = 64  # an event adds one at most, and one of 32 sweeps


@value
class Steps:
    """Under "steps/<day>/<form>/<step>" how often it was reached; under "steps/<day>" how many of these there are."""

    count: int


def decode_steps(data: bytes) -> Steps:
    """Return the count of stored JSON."""
    return Steps(orjson.loads(data)["count"])


def is_early(raw: RawLead) -> bool:
    """Tell whether a submission is a step of a form before its last one: it is counted, and starts no clock."""
    return raw.fields.get("step") not in (None, "", FINAL_STEP)


def step_of(raw: RawLead) -> tuple[str, str]:
    """Return form and step as they are counted, "unknown" where not given."""
    fields = Fields(raw.fields)
    form, step = (token(fields.public(name) or "") or "unknown" for name in ("form", "step"))
    return form, step


def reached(state: StateView, raw: RawLead, at: datetime) -> Sequence[Put]:
    """Return the counts after one more step. at: when the record was taken in, so that a replay counts the same.

    The last submission of a form with steps counts as its step "final"; a form without steps counts nothing.
    """
    if raw.fields.get("step") in (None, ""):
        return ()
    form, step = step_of(raw)
    day = f"steps/{at.date().isoformat()}"
    key = f"{day}/{form}/{step}"
    if state.get(key) is not None:
        return (_one_more(state, key),)
    known: Steps | None = state.get(day)
    if known is not None and known.count >= MOST_A_DAY:
        return (_one_more(state, f"{day}/other/other"),)
    return (_one_more(state, day), _one_more(state, key))


def swept(state: StateView, at: datetime) -> Iterator[Delete]:
    """Yield the counts of days that are over for longer than they are kept, the oldest first, a few at a time."""
    oldest = f"steps/{(at - KEPT).date().isoformat()}"
    for place, (key, _) in enumerate(state.scan("steps/")):
        if place >= SWEPT_AT_ONCE or key >= oldest:
            return
        yield Delete(key)


def _one_more(state: StateView, key: str) -> Put:
    earlier: Steps | None = state.get(key)
    return Put(key, Steps((earlier.count if earlier else 0) + 1))
