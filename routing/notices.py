"""Who is told what of a decision, over which channels, and not before when.

Notices are plain JSON data here, in the order of `schemas.decision.Notice`, whose model readers use.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from routing.availability import absence, has_left
from routing.calendar.business_time import is_open, next_opening
from routing.docket import Docket
from routing.groups import LEADERSHIP, lead_group, queue_manager_group, role_group
from routing.lead_state import LeadState, OwnerRef, Phase, Reply, changed
from routing.owner_chain import team_leads_of
from routing.policy import Policy, once_a_policy
from routing.sla import contact_due, is_running, steps_of
from schemas.decision import OwnerKind
from schemas.policy_sla import StepAction

Notice = dict[str, Any]


class Telling(NamedTuple):
    """One event to tell. event: a name under `notices` in the policy. also: roles of the roster to tell besides."""

    event: str
    note: str = ""
    previous: OwnerRef | None = None
    also: tuple[str, ...] = ()


def notices_for(docket: Docket, lead: LeadState, telling: Telling) -> list[Notice]:
    """Return the notices of one event, by the policy's plan for it."""
    plan = docket.file.notices.get(telling.event)
    if plan is None:
        return []
    rows = [row for to in plan.to if (row := _notice(docket, lead, telling, to)) is not None]
    for role in telling.also:
        people = docket.people(role_group(role))
        rows.append(_built(docket, lead, telling, "manager", people, f"{telling.event}:{role}"))
    return rows


def auto_reply(docket: Docket, lead: LeadState, action: str | None) -> tuple[list[Notice], LeadState]:
    """Return the one automatic answer to the lead, if it is due, and the lead that remembers it (AUT-1, AUT-2)."""
    notices, replies = reply_for(docket, lead, lead.phase, action)
    return notices, changed(lead, replies=replies) if notices else lead


def reply_for(
    docket: Docket, lead: LeadState, phase: Phase, action: str | None
) -> tuple[list[Notice], tuple[Reply, ...]]:
    """Return the one automatic answer to a lead in `phase`, if it is due, and the answers to remember on it."""
    plan = docket.file.auto_reply
    said = action or "else"
    is_recent = any(r.action == said and docket.now < r.at + plan.repeat_after for r in lead.replies)
    if not plan.enabled or is_recent or (lead.pool in plan.off_for):
        return [], lead.replies
    template = plan.templates.get(said) or plan.templates.get("else", "receipt")
    if phase is Phase.QUEUED:
        template = plan.queue_template
    notice = _shaped("auto_reply", "lead", (), ("email",), f"auto_reply.{template}", {})
    notice |= {"expires_at": docket.now + plan.repeat_after, "urgent": False, "note": ""}
    return [notice], (*lead.replies[-9:], Reply(said, docket.now))


def manager_of(docket: Docket, lead: LeadState) -> tuple[str, ...]:
    """Return who is told as the owner's manager: one level up when unreachable or the owner (SLA-3, SLA-6)."""
    owner, leadership = lead.owner, docket.people(LEADERSHIP)
    if lead.phase is Phase.HELD:  # the team lead is accountable for a held lead, and is the one to tell
        return tuple(one for one in _managers(docket, owner, lead) if not has_left(docket.rep(one))) or leadership
    if owner.kind is OwnerKind.TEAM_LEAD:
        return leadership
    if owner.kind is OwnerKind.QUEUE:
        people = docket.people(queue_manager_group(owner.queue or ""))
    else:
        people = _managers(docket, owner, lead)
    reachable = tuple(one for one in people if one != owner.id and _is_reachable(docket, one))
    return reachable or leadership


def _managers(docket: Docket, owner: OwnerRef, lead: LeadState) -> tuple[str, ...]:
    leads = docket.people(lead_group(owner.pool)) if owner.pool else ()
    return leads or team_leads_of(docket, owner.id or "", lead.pool)


def _is_reachable(docket: Docket, rep_id: str) -> bool:
    return absence(docket.rep(rep_id), docket.now, docket.now) is None


def _notice(docket: Docket, lead: LeadState, telling: Telling, audience: str) -> Notice | None:
    owner = lead.owner
    if audience == "owner" and owner.kind is OwnerKind.NONE:
        return None  # it is set aside
    if audience == "owner" and owner.kind is OwnerKind.QUEUE:
        audience = "queue"
    recipients: tuple[str, ...] = ()
    if audience in ("owner", "queue"):
        recipients = (owner.id,) if owner.id else ()
    elif audience == "previous_owner":
        before = telling.previous
        if before is None or before.id is None or before.id == owner.id:
            return None
        recipients = (before.id,)
    elif audience == "manager":
        recipients = manager_of(docket, lead)
    elif audience == "leadership":
        recipients = docket.people(LEADERSHIP)
    return _built(docket, lead, telling, audience, recipients, f"{telling.event}:{audience}")


def _built(
    docket: Docket,
    lead: LeadState,
    telling: Telling,
    audience: str,
    recipients: tuple[str, ...],
    notice_id: str,
) -> Notice:
    queue = lead.owner.queue if audience == "queue" else None
    terms = _terms(docket.policy, telling.event, audience, lead.tier, queue)
    channels, release, ends_at = terms.channels, _AT_ONCE, None
    if audience == "owner":
        channels = _with_own(docket, lead, channels)
        release = _release(docket, lead, channels, terms.at_opening)
    if terms.acknowledge_seconds is not None:
        ends_at = _ends_at(docket, lead, telling.event)
    notice = _shaped(notice_id, audience, recipients, channels, telling.event, release)
    if ends_at is not None and all(at < ends_at for at in release.values()):
        notice["expires_at"] = ends_at
    if terms.acknowledge_seconds is not None:
        notice["acknowledge_within_seconds"] = terms.acknowledge_seconds
    digest = terms.digest
    if digest is not None and (ends_at is None or docket.now + digest < ends_at):  # else it would come too late
        notice["digest_seconds"] = digest.total_seconds()
    notice["urgent"] = terms.urgent
    notice["note"] = f"{terms.note} {telling.note}" if terms.note and telling.note else terms.note or telling.note
    return notice


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the policy says of one event to one audience, by tier. at_opening: channels that wait for the owner's
    next opening. acknowledge_seconds: None where nobody is accountable."""

    channels: tuple[str, ...]
    at_opening: frozenset[str]
    acknowledge_seconds: float | None
    digest: timedelta | None
    urgent: bool
    note: str


_AT_ONCE: dict[str, datetime] = {}


@once_a_policy
def _terms(policy: Policy, event: str, audience: str, tier_name: str, queue: str | None) -> _Terms:
    file, plan, tier = policy.file, policy.file.notices[event], policy.tier(tier_name)
    channels = plan.channels.get(tier_name) or plan.channels.get("else") or tier.channels
    if audience in ("crm", "webhook"):
        channels = (audience,)
    elif queue in file.queues:
        channels = file.queues[queue].channels
    is_accountable = audience in ("owner", "queue")
    return _Terms(
        channels=channels,
        at_opening=frozenset(name for name, when in tier.release.items() if when == "opening"),
        acknowledge_seconds=file.sla.unacknowledged.total_seconds() if is_accountable else None,
        digest=plan.digest.get(tier_name),
        urgent=tier.ignores_quiet_hours,
        note=plan.note,
    )


def _shaped(
    notice_id: str,
    audience: str,
    recipients: tuple[str, ...],
    channels: tuple[str, ...],
    template: str,
    release: dict[str, datetime],
) -> Notice:
    return {
        "id": notice_id,
        "audience": audience,
        "recipients": recipients,
        "channels": channels,
        "template": template,
        "release_at": release,
    }


def _with_own(docket: Docket, lead: LeadState, channels: tuple[str, ...]) -> tuple[str, ...]:
    """The tier's channels and the owner's own: reps add channels, the tier's stay (NOT-3)."""
    rep = docket.rep(lead.owner.id)
    own = rep.row.channels if rep is not None and rep.row is not None else ()
    return tuple(dict.fromkeys((*channels, *own)))


def _ends_at(docket: Docket, lead: LeadState, event: str) -> datetime | None:
    """Until when it is of use to tell the owner: a reminder until the deadline, other news until the lead moves on."""
    if not is_running(lead):
        return None
    if event == "reminder":
        due = contact_due(docket, lead)
        return due if due > docket.now else None
    done = {row.name for row in lead.done}
    takes = (StepAction.MOVE,) if lead.owner.kind is OwnerKind.QUEUE else (StepAction.REASSIGN, StepAction.MOVE)
    for row in steps_of(docket, lead):
        if row.step.do in takes and row.due_at > docket.now and row.name not in done:
            return row.due_at
    return None


def _release(
    docket: Docket, lead: LeadState, channels: tuple[str, ...], at_opening: frozenset[str]
) -> dict[str, datetime]:
    """Channels that wait for the owner's next opening (AVL-3), when the owner is off shift now."""
    waiting = [name for name in channels if name in at_opening]
    calendar = docket.rep_hours(lead.owner.id, lead.owner.pool or lead.pool) if waiting else None
    if calendar is None or is_open(calendar, docket.now):
        return _AT_ONCE
    opening = next_opening(calendar, docket.now)
    return _AT_ONCE if opening is None else dict.fromkeys(waiting, opening)
