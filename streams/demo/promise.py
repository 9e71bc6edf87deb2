"""What the demo promises to show, and whether it has. Pure."""

from dataclasses import dataclass

from schemas.decision import DecisionKind, OwnerKind
from streams.demo.scenario import DUPLICATE_ID, PERSONAL_ID, SILENT_IDS, Scenario
from streams.demo.sinks import Arrived
from streams.demo.watched import Watched

LEADS_MIN = 200
COMPANIES_MIN = 100


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that must happen. found: what was seen."""

    what: str
    is_kept: bool
    found: str


def promises(scenario: Scenario, watched: Watched, arrived: Arrived) -> tuple[Promise, ...]:
    """Return every promise with what was seen of it so far."""
    notified = sum(watched.by_event[event].lead_id in watched.delivered for event in watched.by_event)
    return (
        Promise(
            f"{scenario.count} leads went from raw to notified",
            notified >= scenario.count >= LEADS_MIN and len(watched.companies) >= COMPANIES_MIN,
            f"{notified} leads of {len(watched.companies)} companies",
        ),
        _escalations(watched),
        _duplicate(scenario, watched),
        _personal(watched),
        Promise(
            "An unreadable record is in the dead-letter topic", watched.dead_letters >= 1, f"{watched.dead_letters}"
        ),
        Promise(
            "Notices arrived: mail to reps, mail to leads, signed webhooks",
            min(arrived.to_reps, arrived.to_leads, arrived.webhooks) > 0 and arrived.refused == 0,
            f"{arrived.to_reps}, {arrived.to_leads}, {arrived.webhooks}",
        ),
    )


def _escalations(watched: Watched) -> Promise:
    moved = [watched.reassigned[event] for event in SILENT_IDS if event in watched.reassigned]
    told = [
        f"{watched.name_of(one.previous_owner.id)} to {watched.name_of(one.owner.id)}"
        for one in moved
        if one.previous_owner and one.owner.kind is OwnerKind.REP and one.owner.id != one.previous_owner.id
    ]
    what = "Two hot leads that nobody called went to a second rep"
    return Promise(what, len(told) == len(SILENT_IDS), "; ".join(told) or "none yet")


def _duplicate(scenario: Scenario, watched: Watched) -> Promise:
    what = "A duplicate stays with its owner"
    first, second = watched.by_event.get(scenario.original.id), watched.by_event.get(DUPLICATE_ID)
    if first is None or second is None:
        return Promise(what, False, "not seen yet")
    is_kept = (first.lead_id, first.owner.id) == (second.lead_id, second.owner.id)
    return Promise(what, is_kept, f"touch {second.touch} of the lead of {watched.name_of(second.owner.id)}")


def _personal(watched: Watched) -> Promise:
    what = "A lead with a personal address waits for review"
    decision = watched.by_event.get(PERSONAL_ID)
    if decision is None:
        return Promise(what, False, "not seen yet")
    is_kept = decision.kind is DecisionKind.QUEUED and decision.owner.queue == "manual-review"
    return Promise(what, is_kept, f"{decision.owner.queue}, {watched.name_of(decision.owner.id)}")
