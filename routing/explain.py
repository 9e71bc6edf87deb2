"""The story of a lead in plain words, told from its decisions and from what became of their notices (NEW-5, GOV-1)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from routing.breach import meaning
from routing.candidates import EXCLUDED
from routing.condition_text import sentence
from routing.expression import Opaque
from routing.expression_parser import parse
from routing.placement import Via
from routing.rep_state import POINT
from schemas.decision import Audience, Decision, DecisionKind, Owner, OwnerKind
from schemas.delivery import NoticeSettled

_RULES_TOLD = 12
_CANDIDATES_TOLD = 10
_TELLS = {
    Audience.LEAD: "Answers the lead by {channels}: {template}.",
    Audience.CRM: "Writes it to the CRM: {template}.",
    Audience.WEBHOOK: "Posts it to webhooks: {template}.",
}
_VERBS = {
    DecisionKind.ASSIGNED: "was assigned to {owner}",
    DecisionKind.REASSIGNED: "moved to {owner}",
    DecisionKind.HELD: "waits for room; {owner} is accountable",
    DecisionKind.QUEUED: "went to {owner}",
    DecisionKind.NURTURED: "is nurtured",
    DecisionKind.QUARANTINED: "is in quarantine",
    DecisionKind.TOUCHED: "came back; {owner} keeps it",
    DecisionKind.ESCALATED: "was escalated; {owner} still has it",
    DecisionKind.CONTACTED: "was contacted",
    DecisionKind.CLOSED: "was closed",
    DecisionKind.NOTED: "changed; {owner} still has it",
}


def story(decisions: Sequence[Decision], otherwise: Sequence[str] = (), settled: Sequence[NoticeSettled] = ()) -> str:
    """Return what happened to one lead and why, a paragraph a decision, in the order given; all times UTC.

    otherwise: sentences on what would have chosen otherwise (routing/counterfactual.py); they end the story.
    settled: what became of the notices, as far as it is known.
    """
    if not decisions:
        return "Nothing is known of this lead."
    first = decisions[0]
    parts = [" ".join((f"Lead {first.lead_id}: {_about(first)}.", *_contested(first)))]
    parts += [_paragraph(decision, settled) for decision in decisions]
    if otherwise:
        parts.append("\n".join(otherwise))
    return "\n\n".join(parts) + "\n"


def _about(decision: Decision) -> str:
    lead = decision.lead
    company = lead.company
    size = f"{company.employees:,} people" if company.employees is not None else "size unknown"
    where = ", ".join(part for part in (company.state, company.country) if part) or "place unknown"
    facts = (company.domain or "company unknown", size, company.industry or "industry unknown", where)
    action = f"asked by {lead.action}" if lead.action else "action unknown"
    return f"{', '.join(facts)}; {action} on {lead.submitted_at.astimezone(UTC):%Y-%m-%d at %H:%M:%S} UTC"


def _contested(decision: Decision) -> list[str]:
    """Return what providers disagreed on, so that it counted as unknown (ENR-5)."""
    fields = [name.removeprefix("company.") for name in decision.lead.conflicts]
    if not fields:
        return []
    return [f"Two companies fit it and differ in {', '.join(fields)}: taken as unknown."]


def _paragraph(decision: Decision, settled: Sequence[NoticeSettled]) -> str:
    is_choosy = decision.trace.get("via") == Via.PREFERENCE  # there is room, but another rep is preferred
    verb = (_VERBS[decision.kind] if not is_choosy else "waits; {owner} is accountable").format(
        owner=_owner(decision.owner)
    )
    lines = [f"{_time(decision.at)}  It {verb}. {decision.reason}"]
    graded = f"Tier {decision.tier}, score {decision.score}, segment {decision.segment or 'unknown'}."
    if decision.kind in (DecisionKind.ASSIGNED, DecisionKind.HELD, DecisionKind.QUEUED) and "tried" in decision.trace:
        lines.append(graded)
    lines += _rules(decision.trace.get("tried", ()))
    chain = decision.trace.get("chain", ())
    lines += [f"{link['step'].capitalize()} {link['who']}: {_lacking(link['why'])}." for link in chain]
    for pool in decision.trace.get("pools", ()):
        lines += _pool(pool)
    lines += _told(decision, settled)
    lines += _clock(decision)
    if decision.policy_hash:
        lines.append(f"Decided by policy {decision.policy_hash}, epoch {decision.epoch}, because of {decision.cause}.")
    return "\n    ".join(lines)


def _rules(tried: Sequence[dict[str, Any]]) -> list[str]:
    missed = [row for row in tried if not row["matched"]]
    lines = []
    if len(missed) > _RULES_TOLD:
        more = len(missed) - _RULES_TOLD
        lines.append(f"{more} {'rule' if more == 1 else 'rules'} before did not match.")
    lines += [f'Rule "{row["rule"]}" did not match: {_wanted(row)}.' for row in missed[-_RULES_TOLD:]]
    lines += [f'Rule "{row["rule"]}" matched.' for row in tried if row["matched"]]
    return lines


def _wanted(row: dict[str, Any]) -> str:
    """What of a rule was not so: a fact with its value, or, where several would each have done, what they are."""
    actual, expected = _plain(row.get("actual")), row["expected"]
    if " || " in expected and not isinstance(node := parse(expected), Opaque):
        return f"it is not so that {sentence(node)} ({row['field']} is {actual})"
    return f"{row['field']} is {actual}, wanted {_plain(expected)}"


def _plain(value: Any) -> str:
    """A value of a condition, or what it was compared with, as a person would say it."""
    if value is None:
        return "unknown"
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    text = text.removeprefix("== ")
    text = {"true": "yes", "false": "no"}.get(text, text)
    is_word = len(text) > 2 and text[0] == text[-1] == '"' and text.count('"') == 2
    return text[1:-1] if is_word else text


def _pool(pool: dict[str, Any]) -> list[str]:
    says = f" ({pool['says']})" if "says" in pool else ""
    lane = f", {pool['lane']}" if pool.get("lane") else ""
    lines = [f"In pool {pool['pool']}{lane}{says}:"] if pool["candidates"] else []
    for row in pool["candidates"][:_CANDIDATES_TOLD]:
        load = f", load {row['load'] / POINT:g} of {row['limit'] / POINT:g}" if "load" in row else ""
        tie = ", by the recorded hash of a tie" if "tie" in row and row["why"] == "chosen" else ""
        lines.append(f"  {row['rep']}: {_lacking(row['why'])}{load}{tie}.")
    left = len(pool["candidates"]) - _CANDIDATES_TOLD + sum(pool.get("others", {}).values())
    if left > 0:
        lines.append(f"  and {left} more.")
    counters = pool.get("counters")
    if counters:
        before, after = counters["pool"]["turns"]
        lines.append(f"  The pool went from {before} {'turn' if before == 1 else 'turns'} to {after}.")
    return lines


def _lacking(why: str) -> str:
    """A reason of a trace, with what a rep does not have in a person's words."""
    if why == EXCLUDED:
        return "had it already since the clock started"
    return why.replace("skill: another is", "another is").replace("skill: ", "without ")


def _told(decision: Decision, settled: Sequence[NoticeSettled]) -> list[str]:
    """What is to be told, and below each what became of it: a decision orders its notices, NOTIFY sends them later."""
    lines = []
    for notice in decision.notices:
        channels = ", ".join(notice.channels)
        what = _TELLS.get(notice.audience, "Tells {who} by {channels}: {template}.")
        lines.append(what.format(who=", ".join(notice.recipients), channels=channels, template=notice.template))
        lines += [_became(one) for one in settled if (one.decision_id, one.notice) == (decision.decision_id, notice.id)]
    return lines


def _became(one: NoticeSettled) -> str:
    if one.all_failed:
        return f"  No channel reached {one.recipient}, by {_time(one.at)}."
    why = f", {one.reason}" if one.reason else ""
    twice = ", possibly twice" if one.possible_repeat else ""
    to = "" if one.audience in (Audience.CRM, Audience.LEAD) else f" to {one.recipient}"
    return f"  {one.channel}{to}: {one.outcome.value} {_time(one.at)}{twice}{why}."


def _clock(decision: Decision) -> list[str]:
    """The lead clock and the owner's beside it (SLA-1), what was paused, and what became of the deadline."""
    sla = decision.sla
    if sla is None:
        return []
    until = sla.contacted_at or decision.at
    ran = f"{spell(until - sla.clock_at)} since {_time(sla.clock_at)}"
    own = "no owner" if sla.owned_at is None else f"{spell(until - sla.owned_at)} since {_time(sla.owned_at)}"
    lines = []
    if sla.contacted_at is not None:
        waited = spell(sla.contacted_at - sla.clock_at)
        lines.append(f"Contact at {_time(sla.contacted_at)}, {waited} after the clock started.")
    elif sla.contact_due_at is not None:
        paused = f", {spell(timedelta(seconds=sla.paused_seconds))} of closed hours in it" if sla.paused_seconds else ""
        lines.append(f"Contact is due by {_time(sla.contact_due_at)}{paused}.")
    lines.append(f"Lead clock: {ran}. Owner clock: {own}.")
    following = next((step for step in sla.steps if step.done_at is None), None)
    if following is not None and sla.contacted_at is None:
        is_held = sla.is_unverified and following.due_at <= decision.at
        lines.append(f"{'Held' if is_held else 'Next'} step: {following.do} at {_time(following.due_at)}.")
    if sla.is_unverified:
        lines.append("Activity was behind at this moment: somebody may have made contact already.")
    if sla.breach is not None:
        lines.append(f"The deadline was missed: {meaning(sla.breach)}, charged to {sla.breach_charged_to or 'nobody'}.")
    return lines


def spell(time: timedelta) -> str:
    """Return "1 d 2 h", "3 h 4 min", "5 min 6 s" or "7 s"; below zero as 0 s."""
    seconds = max(round(time.total_seconds()), 0)
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        parts.append((count, unit))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def _owner(owner: Owner) -> str:
    if owner.kind is OwnerKind.QUEUE:
        return f"queue {owner.queue} ({owner.id or 'no owner'})"
    if owner.kind is OwnerKind.TEAM_LEAD:
        return f"team lead {owner.id or '(none)'}"
    return owner.id or "nobody"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
