"""Answering a lead with its decision, for the thank-you page (AUT-3)."""

from pydantic import BaseModel

from schemas.decision import OwnerKind
from schemas.duration import duration
from streams.intake.decisions import Decided
from streams.intake.problem import FieldProblem, invalid
from streams.intake.roster import Roster

LONGEST_WAIT_SECONDS = 30.0


class Answered(BaseModel):
    """Acknowledged by Kafka, and decided. booking_url: of the rep who owns the lead, where there is one with a link."""

    ids: tuple[str, ...]
    decision: Decided
    owner_name: str | None = None
    booking_url: str | None = None


def wait_seconds(text: str, leads: int) -> float:
    """Return how long the caller waits for the decision: "5s", at most 30 s; 0 where it doesn't ask. Raises Refused."""
    if not text:
        return 0.0
    try:
        seconds = duration(text).total_seconds()
    except ValueError as error:
        raise invalid([FieldProblem(field="wait", problem=str(error), fix="Write wait=5s.")]) from error
    if seconds > LONGEST_WAIT_SECONDS:
        problem = f"longer than {LONGEST_WAIT_SECONDS:.0f} s"
        raise invalid([FieldProblem(field="wait", problem=problem, fix="Write wait=5s.")])
    if leads != 1:
        raise invalid([FieldProblem(field="wait", problem="only one lead can be waited for", fix="Send one lead.")])
    return seconds


def answered(ids: tuple[str, ...], decided: Decided, roster: Roster) -> Answered:
    """Return the answer. A lead that waits in a queue has no booking link, whoever is accountable for it."""
    rep = roster.rep(decided.owner) if decided.owner and decided.owner_kind is OwnerKind.REP else None
    return Answered(
        ids=ids,
        decision=decided,
        owner_name=rep.name if rep else None,
        booking_url=rep.booking_url if rep else None,
    )
