"""The decision that comes out: one record on leads.assigned, made of the lead as it stands now."""

from collections.abc import Sequence
from typing import Any

from routing.docket import Docket
from routing.lead_state import NOBODY, LeadState, OwnerRef, Phase, lead_key
from routing.sla import standing
from schemas.decision import Decision, DecisionKind, Notice, Owner, decision_json
from schemas.effects import Emit
from schemas.ids import derived_id
from schemas.lead import Lead, LeadScored

TOPIC = "leads.assigned"
TYPE = "lead.decided"
STAGE = "assign"


def scored_of(lead: LeadState) -> LeadScored:
    """Return the lead as SCORE gave it, without contact."""
    return LeadScored.model_validate(lead.scored)


def remember(docket: Docket, lead: LeadState) -> None:
    """Put the lead as it stands."""
    docket.draft.put(lead_key(lead.lead_id), lead)


def record(
    docket: Docket,
    lead: LeadState,
    kind: DecisionKind,
    reason: str,
    trace: dict[str, Any],
    notices: Sequence[Notice] = (),
    previous: OwnerRef | None = None,
    uses_turn: bool = False,
    known: Lead | None = None,
) -> None:
    """Put the lead and emit its decision. known: the lead's own facts, when the caller has them parsed."""
    remember(docket, lead)
    tag = f"{lead.lead_id}#{docket.draft.decisions}"
    body = known or Lead.model_validate(lead.scored["lead"])
    decision = Decision(
        decision_id=derived_id(docket.event_id, STAGE, tag),
        lead_id=lead.lead_id,
        division=lead.division,
        person=body.person,
        kind=kind,
        cause=docket.event_id,
        at=docket.now,
        epoch=lead.epoch,
        owner=shown(lead.owner),
        previous_owner=None if previous is None or previous == NOBODY else shown(previous),
        reason=reason,
        tier=lead.tier,
        segment=lead.scored.get("segment"),
        score=lead.scored.get("score", 0),
        rule=lead.rule,
        pool=lead.owner.pool or lead.pool,
        strategy=lead.strategy,
        uses_turn=uses_turn,
        touch=lead.touches,
        sla=None if lead.phase is Phase.CLOSED else standing(docket, lead),
        notices=tuple(notices),
        lead=body,
        contact=None,
        policy_hash=docket.policy.hash,
        trace={"policy": docket.policy.hash, **trace},
    )
    encoded = decision_json(decision)
    docket.draft.emit(Emit(TOPIC, body.person, TYPE, decision, tag, encoded=encoded, journalled=encoded))


def shown(owner: OwnerRef) -> Owner:
    """Return the owner as decisions name them."""
    return Owner(kind=owner.kind, id=owner.id, queue=owner.queue, pool=owner.pool)
