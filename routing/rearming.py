"""After an activation each open lead is armed anew, some at a time: by the new policy something may be due sooner."""

from itertools import islice

from routing.docket import Docket
from routing.lead_state import LeadState, lead_key
from routing.sla import is_running
from routing.timing import arm

LOOKED_AT_ONCE = 200  # leads an event looks at (twice as many at worst); a wake-up goes on with the rest
_DIGITS = "0123456789abcdef"
_PERSON_DIGITS = 32


def rearm(docket: Docket, start: str = "") -> None:
    """Arm the open leads of persons from `start` on (hex digits), in the order of their ids.

    Where more persons share the digits than an event may look at, the next digit parts them: so no event scans the
    division, however many leads it has. What is overdue by the new policy fires at once. Closed leads stay as they are.
    """
    looked_at, digits = 0, start
    while True:
        rows = list(islice(docket.draft.scan(lead_key(f"{docket.division}.{digits}")), LOOKED_AT_ONCE + 1))
        looked_at += len(rows)
        if len(rows) > LOOKED_AT_ONCE and len(digits) < _PERSON_DIGITS:
            following: str | None = digits + _DIGITS[0]
        else:
            for _, lead in rows:
                if isinstance(lead, LeadState) and is_running(lead):
                    arm(docket, lead)
            following = _after(digits)
        if following is None:
            return
        digits = following
        if looked_at >= LOOKED_AT_ONCE:
            docket.draft.wake(f"rearm/{docket.division}/{digits}", docket.now, docket.division)
            return


def _after(digits: str) -> str | None:
    """Return the first digits behind all that start with `digits`, None where there are none."""
    kept = digits.rstrip(_DIGITS[-1])
    return kept[:-1] + _DIGITS[_DIGITS.index(kept[-1]) + 1] if kept else None
