"""Making both sides say the same: leads written to the CRM in bulk, changes there reported to leadstream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from notifiers.crm.change import ChangeKind, CrmChange, activity_of
from notifiers.crm.mirror import HeldLead, RemoteCrm
from notifiers.crm.reconcile import Difference, Mend, Standing
from schemas.delivery import Xref
from schemas.rep import Rep
from schemas.wire import encode
from streams.cli.writer import Outgoing
from streams.crm.reading import reported


@dataclass(frozen=True, slots=True)
class Mended:
    """written: leads that the CRM took. refused: lead id -> what it said. records: for leadstream's topics."""

    written: int
    refused: Mapping[str, str]
    records: tuple[Outgoing, ...]


def mended(
    remote: RemoteCrm,
    found: Iterable[Difference],
    ours: Mapping[str, Standing],
    reps: Mapping[str, Rep],
    now: datetime,
) -> Mended:
    """Write to the CRM what is ours, and return what must be written to the topics. Raises what the remote raises."""
    differences = tuple(found)
    records = [record for one in differences if (record := _taken(one, reps, now)) is not None]
    writing = [ours[one.lead_id].record for one in differences if one.mend is Mend.WRITE]
    refused: dict[str, str] = {}
    written = 0
    for outcome in remote.upsert(writing):
        if outcome.foreign_id is None:
            refused[outcome.lead_id] = outcome.problem
            continue
        written += 1
        row = Xref(lead_id=outcome.lead_id, at=now)
        records.append(Outgoing(f"xref/{outcome.foreign_id}", "xref", outcome.foreign_id, "xref.put", encode(row)))
    return Mended(written, refused, tuple(records))


def _taken(one: Difference, reps: Mapping[str, Rep], now: datetime) -> Outgoing | None:
    """Return the activity by which leadstream learns what a person did in the CRM."""
    if one.held is None or one.mend not in (Mend.TAKE_OWNER, Mend.TAKE_DELETION):
        return None
    change = _change(one.lead_id, one.held, one.mend, now)
    activity = activity_of(change, lambda user: _rep(user, reps), {})
    return None if activity is None else reported(activity)


def _change(lead_id: str, held: HeldLead, mend: Mend, now: datetime) -> CrmChange:
    kind = ChangeKind.OWNER if mend is Mend.TAKE_OWNER else ChangeKind.DELETED
    at = held.owner_at if mend is Mend.TAKE_OWNER and held.owner_at is not None else now
    named = "hubspot_owner_id" if held.foreign_id.startswith("hubspot:") else kind.value
    return CrmChange(
        id=f"{held.foreign_id.replace(':', '/')}/{named}/{int(at.timestamp() * 1_000)}",
        kind=kind,
        at=at,
        value=held.owner or "",
        lead_id=lead_id,
        foreign_id=held.foreign_id,
        reason="crm",
    )


def _rep(user: str, reps: Mapping[str, Rep]) -> Rep | None:
    return next((rep for rep in reps.values() if rep.crm_id == user), None)
