"""What a CRM reports back: an owner, a stage or a record that changed there, and what that means here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.activity import ActivityKind, ActivityReported
from schemas.rep import Rep

LOAD_STAGES = frozenset({"early", "mid", "late", "closed"})


class ChangeKind(StrEnum):
    OWNER = "owner.changed"
    STAGE = "stage.changed"
    DISQUALIFIED = "lead.disqualified"
    DELETED = "lead.deleted"
    ERASED = "lead.erased"
    CONTACTED = "lead.contacted"
    USER_DEACTIVATED = "user.deactivated"


class ChangeRefused(ValueError):
    """A CRM's request says nothing that can be read. The message may be told to the caller."""


class NotSigned(ChangeRefused):
    """The request is not signed with our secret, or is older than five minutes."""


@dataclass(frozen=True, slots=True)
class CrmChange:
    """One change. id: the CRM's own, the same when it is sent again. value: the new owner's or the user's id in the
    CRM, the stage's name there, or how a lead was contacted (a kind of activity: "called", "messaged", …).
    lead_id or foreign_id ("hubspot:123") says of what. user: who did it, by the id in the CRM.
    """

    id: str
    kind: ChangeKind
    at: datetime
    value: str = ""
    lead_id: str | None = None
    foreign_id: str | None = None
    reason: str | None = None
    by: str | None = None
    user: str = ""


_ENDS = {
    ChangeKind.DISQUALIFIED: ActivityKind.DISQUALIFIED,
    ChangeKind.DELETED: ActivityKind.DELETED,
    ChangeKind.ERASED: ActivityKind.ERASED,
}

_HOW = {
    str(kind): kind
    for kind in (
        ActivityKind.CALLED,
        ActivityKind.MESSAGED,
        ActivityKind.MEETING_HELD,
        ActivityKind.MEETING_SET,
        ActivityKind.CHAT_REPLIED,
    )
}


def activity_of(
    change: CrmChange, rep_of_crm: Callable[[str], Rep | None], stages: Mapping[str, str]
) -> ActivityReported | None:
    """Return the change as an activity; None where it means nothing here.

    That is: a new owner who is not on the roster, or a stage that `stages` does not name. stages: the CRM's name ->
    early, mid, late or closed (load), or a kind of activity ("disqualified", "won", "called").
    """
    match change.kind:
        case ChangeKind.OWNER:
            rep = rep_of_crm(change.value)
            if rep is None:
                return None
            return _reported(change, ActivityKind.REASSIGNED, to=rep.id, reason=change.reason or "crm")
        case ChangeKind.STAGE:
            meaning = stages.get(change.value.lower())
            if meaning in LOAD_STAGES:
                return _reported(change, ActivityKind.STAGE_CHANGED, stage=meaning)
            return _reported(change, ActivityKind(meaning), reason=change.reason) if meaning else None
        case ChangeKind.CONTACTED:
            rep = rep_of_crm(change.user)
            return _reported(change, _HOW.get(change.value, ActivityKind.CALLED), rep=rep.id if rep else None)
        case ChangeKind.USER_DEACTIVATED:
            return None
        case _:
            return _reported(change, _ENDS[change.kind], reason=change.reason)


def deactivated(change: CrmChange, rep_of_crm: Callable[[str], Rep | None]) -> Rep | None:
    """Return the roster entry after a user was switched off in the CRM; None where there is nothing to change."""
    rep = rep_of_crm(change.value) if change.kind is ChangeKind.USER_DEACTIVATED else None
    if rep is None or not rep.active:
        return None
    return rep.model_copy(update={"active": False, "deactivated_at": change.at})


def _reported(
    change: CrmChange,
    kind: ActivityKind,
    *,
    rep: str | None = None,
    to: str | None = None,
    stage: str | None = None,
    reason: str | None = None,
) -> ActivityReported:
    return ActivityReported(
        id=change.id,
        kind=kind,
        at=change.at,
        lead_id=change.lead_id,
        foreign_id=change.foreign_id,
        rep=rep,
        to=to,
        stage=stage,
        reason=reason,
        by=change.by or "crm",
    )
