"""Why a lead went where it went, in plain words: the sentences of a decision's reason."""

from datetime import UTC, tzinfo

from routing.availability import LEAVE_AHEAD, MOVED
from routing.capacity import CAPPED
from routing.placement import Placement, Via
from schemas.lead import LeadScored
from schemas.policy_file import Rule

_COVERING = (Via.BACKUP, Via.TEAM_LEAD, Via.AFTER_HOURS)
_SAID = {
    Via.TEAM_LEAD: "Nobody in the pool can take it now, so the team lead has it.",
    Via.PREFERENCE: "It waits a moment for a rep whom the pool prefers for it.",
    Via.HOLD: "Nobody in the pool has room yet; it is held, {who} is accountable.",
    Via.OVER_LIMIT: "Nobody in the pool has room, so one of them takes it over the limit.",
    Via.AFTER_HOURS: "Nobody in the pool is on shift; it went to the after-hours team.",
    Via.OVERFLOW: "Nobody in the pool can take it now; it went to the overflow pool.",
    Via.CATCH_ALL: "Nobody who should have it can take it now; it went to the catch-all.",
}


def said(rule: Rule, placed: Placement, scored: LeadScored, zone: tzinfo = UTC) -> str:
    """Return in plain words why this owner. zone: whose date a disqualification is told by."""
    parts = [rule.say.rstrip(".") + "."]
    passed = next((link for link in placed.passed if link.step == "owner"), None)
    if passed is not None:
        instead = f"; the {placed.via.value} covers" if placed.via in _COVERING else ""
        parts.append(f"{passed.who} {predicate(passed.why)}{instead}.")
        if placed.via is Via.POOL:
            parts.append(f"Pool {placed.owner.pool} has it instead.")
    if placed.via in _SAID and not (passed is not None and placed.via in _COVERING):
        is_full = placed.via is Via.TEAM_LEAD and any(survey.is_full() for survey in placed.surveys)
        text = "Nobody in the pool has room, so the team lead has it." if is_full else _SAID[placed.via]
        parts.append(text.format(who=placed.owner.id or "nobody"))
    gone = scored.disqualified
    if gone is not None:
        who = f" while with {gone.rep}" if gone.rep else ""
        on = gone.at.astimezone(zone).date().isoformat()
        parts.append(f"Disqualified on {on}{who}: {gone.reason or 'no reason given'}.")
    if scored.lead.account is None and scored.lead.account_hint:
        parts.append(f"It may belong to {scored.lead.account_hint}: a person should look.")
    return " ".join(parts)


def predicate(why: str) -> str:
    """Return why somebody was passed over as the end of a sentence about them."""
    if why == LEAVE_AHEAD:
        return "goes on leave before the contact deadline"
    if why == MOVED:
        return f"has {why}"
    return why.replace(CAPPED, "has reached the cap", 1) if why.startswith(CAPPED) else f"is {why}"
