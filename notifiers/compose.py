"""From a decision and one of its notices to the message for one recipient on one channel (NOT-2, AUT-1)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from notifiers.delivery import Row, notice_named, notice_of
from notifiers.message import Message
from notifiers.outcome import Suppressed
from notifiers.sandbox import one_line, plain
from notifiers.settings import ChannelSettings
from notifiers.templates import Templates
from schemas.decision import Audience, Decision, Notice
from schemas.device import Device
from schemas.digest import DigestItem
from schemas.rep import Rep

RepOf = Callable[[str], Rep | None]

_FIRST_ACTIONS = {"T1": "Call now.", "T2": "Write a personal mail.", "T3": "Nurture, or write a short mail."}


def people_of(decisions: Sequence[Decision], row: Row, rep_of: RepOf) -> dict[str, Rep]:
    """Return the reps that the message of `row` speaks of, so that it can be composed later, on another thread."""
    owners = [owner.id for one in decisions for owner in (one.owner, one.previous_owner) if owner is not None]
    ids = {row.recipient, *owners}
    found = {rep_id: rep_of(rep_id) for rep_id in ids if rep_id}
    return {rep_id: rep for rep_id, rep in found.items() if rep is not None}


def message_for(
    decision: Decision,
    row: Row,
    rep_of: RepOf,
    templates: Templates,
    settings: ChannelSettings,
    receipt: Mapping[str, str],
    items: Sequence[DigestItem] = (),
    devices: tuple[Device, ...] = (),
) -> Message:
    """Return the message of one delivery. receipt: of the lead's last one to this recipient on this channel.

    items: what a digest tells of; then `decision` only names it. devices: the recipient's, for push.

    Raises Suppressed where there is no address to send it to.
    """
    notice = notice_of(decision, row)
    owner = rep_of(decision.owner.id) if decision.owner.id else None
    known = fields(decision, notice, rep_of, settings)
    is_to_lead = notice.audience is Audience.LEAD
    if items:
        leads = [fields(one.decision, notice_named(one.decision, one.notice), rep_of, settings) for one in items]
        known |= {"leads": leads, "count": str(len(leads)), "link": ""}
    return Message(
        lead_id=decision.lead_id,
        decision_id=decision.decision_id,
        person=decision.person,
        template=notice.template,
        audience=notice.audience.value,
        recipient=row.recipient,
        to=_address(decision, notice, row, rep_of, settings, devices),
        body=templates.rendered(_text_name(decision, notice), decision.lead.language, known, row.channel),
        sender_name=one_line(owner.name if owner else settings.team_name) if is_to_lead else None,
        reply_to=owner.email if is_to_lead and owner else None,
        facts=() if is_to_lead or items else _facts(known),
        link=None if is_to_lead or items else known["link"],
        buttons=() if items else _buttons(notice),
        receipt=receipt,
        data=encodable({**document(decision, notice, row, known), "owner_crm_id": owner.crm_id if owner else None}),
        contact=encodable(_contact(decision)),
        urgent=notice.urgent,
        devices=devices,
        ends_at=row.ends_at,
    )


def _contact(decision: Decision) -> dict[str, Any]:
    return decision.contact.model_dump(exclude={"raw"}, exclude_none=True) if decision.contact else {}


def encodable(value: Any) -> Any:
    """Return plain JSON data without lone surrogates, which no encoder takes. Nearly all data is returned as it is."""
    try:
        orjson.dumps(value)
    except TypeError:
        return _replaced(value)
    return value


def _replaced(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {name: _replaced(item) for name, item in value.items()}
        case list() | tuple():
            return [_replaced(item) for item in value]
        case _:
            return value


def _text_name(decision: Decision, notice: Notice) -> str:
    match notice.audience:
        case Audience.LEAD if notice.template == "auto_reply":
            return f"auto_reply.{decision.lead.action}"
        case Audience.LEAD:
            return f"auto_reply.{notice.template.removeprefix('auto_reply.')}"
        case Audience.PREVIOUS_OWNER if notice.template == "reassigned":
            return "reassigned_from"
        case _ if notice.template == "reassigned":
            return "reassigned_to"
        case _:
            return notice.template


def _buttons(notice: Notice) -> tuple[str, ...]:
    match notice.audience:
        case Audience.OWNER:
            return ("accepted", "declined", "contacted")
        case Audience.QUEUE:
            return ("claimed",)
        case _:
            return ()


def _address(
    decision: Decision,
    notice: Notice,
    row: Row,
    rep_of: RepOf,
    settings: ChannelSettings,
    devices: tuple[Device, ...],
) -> str:
    match notice.audience:
        case Audience.LEAD:
            found = decision.contact.email if decision.contact and row.channel == "email" else None
        case Audience.CRM | Audience.WEBHOOK:
            found = row.recipient
        case _ if row.channel == "push":
            found = row.recipient if devices else None
        case _:
            found = _rep_address(rep_of(row.recipient), row.channel)
            if found is None and row.channel == "slack" and settings.slack is not None:
                named = (row.recipient, decision.owner.queue, decision.pool, decision.division)
                found = next((settings.slack.channels[n] for n in named if n and n in settings.slack.channels), None)
    if not found:
        raise Suppressed("the recipient has no address on this channel")
    return found


def _rep_address(rep: Rep | None, channel: str) -> str | None:
    match channel:
        case "webhook" | "in_app":
            return "default"
        case _ if rep is None:
            return None
        case "email":
            return rep.email
        case "slack":
            return rep.slack
        case "sms":
            return rep.phone
        case _:
            return None


def fields(decision: Decision, notice: Notice, rep_of: RepOf, settings: ChannelSettings) -> dict[str, Any]:
    """Return what a template may use: text, true or false."""
    lead, contact = decision.lead, decision.contact
    owner = rep_of(decision.owner.id) if decision.owner.id else None
    before = decision.previous_owner.id if decision.previous_owner else None
    previous = rep_of(before) if before else None
    is_hot = decision.tier == "T1"
    name = (contact.name or contact.first_name or contact.last_name) if contact else None
    due = decision.sla.contact_due_at if decision.sla else None
    return {
        "name": name or "Unknown name",
        "first_name": (contact.first_name if contact else None) or "",
        "title": (contact.title if contact else None) or "",
        "phone": (contact.phone if contact and is_hot else None) or "",
        "linkedin": (contact.linkedin if contact and is_hot else None) or "",
        "company_phone": (contact.company_phone if contact and is_hot else None) or "",
        "company": lead.company.name or lead.company.domain or "",
        "size": str(lead.company.employees) if lead.company.employees is not None else "unknown",
        "industry": lead.company.industry or "unknown",
        "action": lead.action or "unknown",
        "source": lead.source or "",
        "tier": decision.tier,
        "score": str(decision.score),
        "segment": decision.segment or "",
        "rule": decision.rule or "",
        "reason": decision.reason,
        "note": notice.note,
        "first_action": _FIRST_ACTIONS.get(decision.tier, "Read and claim."),
        "owner_name": owner.name if owner else settings.team_name,
        "previous_owner_name": previous.name if previous else "nobody",
        "queue": decision.owner.queue or "the queue",
        "pool": decision.pool or decision.owner.pool or "the pool",
        "booking_url": (owner.booking_url if owner else None) or "",
        "signature": (owner.signature or owner.name) if owner else settings.team_signature,
        "contact_due": f"{due:%d %b %Y %H:%M} UTC" if due else "",
        "link": settings.lead_url.replace("{lead_id}", decision.lead_id) if settings.lead_url else "",
        "touch": str(decision.touch),
        "is_test": lead.is_test,
        "transcript": (contact.transcript if contact else None) or "",
    }


_LABELS = {
    "name": "Name",
    "title": "Title",
    "phone": "Phone",
    "linkedin": "LinkedIn",
    "company_phone": "Company phone",
    "company": "Company",
    "size": "Employees",
    "industry": "Industry",
    "action": "Action",
    "source": "Source",
    "score": "Score",
    "tier": "Tier",
    "contact_due": "Contact due",
    "transcript": "Chat",
}


def _facts(known: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((label, plain(known[key])) for key, label in _LABELS.items() if known[key])


def placed(decision: Decision) -> dict[str, Any]:
    """Return who has the lead and why, as machines are told."""
    return {
        "owner": decision.owner.model_dump(mode="json", exclude_none=True),
        "tier": decision.tier,
        "segment": decision.segment,
        "score": decision.score,
        "rule": decision.rule,
        "pool": decision.pool,
        "reason": decision.reason,
    }


def document(decision: Decision, notice: Notice, row: Row, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notice as plain JSON data for machines, without contact data or trace."""
    due = decision.sla.contact_due_at if decision.sla else None
    company = decision.lead.company
    return {
        "lead_id": decision.lead_id,
        "decision_id": decision.decision_id,
        "division": decision.division,
        "kind": decision.kind.value,
        "at": decision.at.isoformat(),
        "epoch": decision.epoch,
        "touch": decision.touch,
        "notice": notice.id,
        "audience": notice.audience.value,
        "recipient": row.recipient,
        **placed(decision),
        "note": notice.note,
        "contact_due_at": due.isoformat() if due else None,
        "company": company.model_dump(mode="json", exclude_none=True),
        "action": decision.lead.action,
        "source": decision.lead.source,
        "foreign_id": decision.lead.foreign_id,
        "is_test": decision.lead.is_test,
        "link": known["link"] or None,
    }
