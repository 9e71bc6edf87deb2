"""The decision that comes out: one record on leads.assigned, made of the lead as it stands now.

It is written as JSON straight from plain data, in the order of `schemas.decision.Decision`, whose model readers use.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from routing.docket import Docket
from routing.draft import Draft
from routing.lead_state import NOBODY, LeadState, OwnerRef, Phase, lead_key
from routing.notices import Notice
from routing.sla import standing
from schemas.decided import Decided
from schemas.decision import DecisionKind
from schemas.ids import derived_id
from schemas.lead import LeadScored
from schemas.scored import plain
from schemas.spliced import spliced

STAGE = "assign"
_MAY_BE_NONE = ("previous_owner", "segment", "rule", "pool", "strategy", "sla")


def scored_of(lead: LeadState) -> LeadScored:
    """Return the lead as SCORE gave it, without contact."""
    return lead.scored.model


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
) -> None:
    """Put the lead and emit its decision."""
    remember(docket, lead)
    tag = f"{lead.lead_id}#{docket.draft.decisions}"
    said = {
        "decision_id": derived_id(docket.event_id, STAGE, tag),
        **_head(lead, kind, docket.event_id),
        "at": docket.now,
        "epoch": lead.epoch,
        "owner": shown(lead.owner),
        "previous_owner": None if previous is None or previous == NOBODY else shown(previous),
        "reason": reason,
        "tier": lead.tier,
        "segment": lead.scored.segment,
        "score": lead.scored.score,
        "rule": lead.rule,
        "pool": lead.owner.pool or lead.pool,
        "strategy": lead.strategy,
        "uses_turn": uses_turn,
        "touch": lead.touches,
        "sla": None if lead.phase is Phase.CLOSED else standing(docket, lead),
        "notices": notices,
        "lead": orjson.Fragment(lead.scored.lead_json),
        "policy_hash": docket.policy.hash,
        "trace": {"policy": docket.policy.hash, **trace},
    }
    _emit(docket.draft, lead, kind, tag, said)


def without_policy(draft: Draft, lead: LeadState, event_id: str) -> None:
    """Emit the decision that the lead waits for a policy."""
    said = {
        "decision_id": derived_id(event_id, STAGE, lead.lead_id),
        **_head(lead, DecisionKind.HELD, event_id),
        "at": draft.now,
        "epoch": 0,
        "owner": shown(lead.owner),
        "reason": f"Division {lead.division} has no active policy: publish and activate one.",
        "tier": lead.tier,
        "score": 0,
        "uses_turn": False,
        "touch": 1,
        "notices": (),
        "lead": orjson.Fragment(lead.scored.lead_json),
        "policy_hash": "",
        "trace": {"waits_for": "policy"},
    }
    _emit(draft, lead, DecisionKind.HELD, lead.lead_id, said)


def shown(owner: OwnerRef) -> dict[str, str]:
    """Return the owner as decisions name them."""
    row = {"kind": owner.kind, "id": owner.id, "queue": owner.queue, "pool": owner.pool}
    return {name: value for name, value in row.items() if value is not None}


def _head(lead: LeadState, kind: DecisionKind, event_id: str) -> dict[str, Any]:
    return {
        "lead_id": lead.lead_id,
        "division": lead.division,
        "person": lead.scored.person,
        "kind": kind,
        "cause": event_id,
    }


def _emit(draft: Draft, lead: LeadState, kind: DecisionKind, tag: str, said: dict[str, Any]) -> None:
    for name in _MAY_BE_NONE:
        if name in said and said[name] is None:
            del said[name]
    draft.emit(Decided(lead.scored.person, tag, lead.lead_id, kind, spliced(said, plain)))
