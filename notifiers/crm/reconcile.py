"""Where leadstream and the CRM differ on a lead, and which side is right."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from notifiers.crm.mirror import HeldLead
from notifiers.crm.record import CrmRecord

SKEW = timedelta(seconds=1)  # CRMs keep instants to the second


class Mend(StrEnum):
    """What makes both sides say the same."""

    WRITE = "write"  # ours is right: write the lead to the CRM
    TAKE_OWNER = "take_owner"  # a person changed the owner there after our decision: report it to leadstream
    TAKE_DELETION = "take_deletion"  # a person deleted the lead there: report it to leadstream
    NONE = "none"  # the new owner there is not on the roster: for people to settle


@dataclass(frozen=True, slots=True)
class Standing:
    """A lead as leadstream has it. at: the decision that wrote it. is_open: somebody still has it."""

    record: CrmRecord
    at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One lead on which the sides differ. fields: name -> (ours, theirs); empty where the CRM has no such lead."""

    lead_id: str
    mend: Mend
    fields: Mapping[str, tuple[str, str]]
    held: HeldLead | None = None

    @property
    def is_missing(self) -> bool:
        return self.held is None


def differences(
    ours: Mapping[str, Standing], held: Iterable[HeldLead], known_users: frozenset[str]
) -> Iterator[Difference]:
    """Yield the leads on which the sides differ, in the order of `ours`. known_users: the roster's ids in the CRM.

    Only what leadstream writes is compared (owner, tier, rule, score, due): names and addresses are the CRM's.
    """
    theirs: dict[str, HeldLead] = {}
    for one in held:
        if one.lead_id not in theirs or theirs[one.lead_id].is_deleted:
            theirs[one.lead_id] = one
    for lead_id, standing in ours.items():
        found = _difference(lead_id, standing, theirs.get(lead_id), known_users)
        if found is not None:
            yield found


def _difference(
    lead_id: str, ours: Standing, theirs: HeldLead | None, known_users: frozenset[str]
) -> Difference | None:
    if theirs is None:
        return Difference(lead_id, Mend.WRITE, {})
    if theirs.is_deleted:
        return Difference(lead_id, Mend.TAKE_DELETION, {}, theirs) if ours.is_open else None
    fields = dict(_fields(ours.record, theirs))
    if not fields:
        return None
    if "owner" not in fields or not _is_theirs(ours, theirs):
        return Difference(lead_id, Mend.WRITE, fields, theirs)
    if not ours.is_open:
        return None  # who has a closed lead is the CRM's business
    mend = Mend.TAKE_OWNER if theirs.owner in known_users else Mend.NONE
    return Difference(lead_id, mend, fields, theirs)


def _is_theirs(ours: Standing, theirs: HeldLead) -> bool:
    return theirs.owner_by_us is False and theirs.owner_at is not None and theirs.owner_at > ours.at + SKEW


def _fields(ours: CrmRecord, theirs: HeldLead) -> Iterator[tuple[str, tuple[str, str]]]:
    pairs = (
        ("owner", ours.owner, theirs.owner),
        ("tier", ours.tier, theirs.tier),
        ("rule", ours.rule, theirs.rule),
        ("score", str(ours.score), None if theirs.score is None else str(theirs.score)),
        ("due", _second(ours.due), _second(theirs.due)),
    )
    for name, mine, other in pairs:
        if mine is not None and mine != other:  # None: leadstream does not know it and writes nothing
            yield name, (mine, other or "")


def _second(at: str | datetime | None) -> str | None:
    if at is None:
        return None
    instant = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{instant.timestamp():.0f}"
