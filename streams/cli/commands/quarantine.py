"""`leadstream quarantine`: look through suspects, let them in or keep them out (CAP-4)."""

import getpass
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from schemas.activity import ActivityKind, ActivityReported
from schemas.decision import Decision, DecisionKind
from schemas.ids import derived_id
from schemas.wire import encode
from streams.cli.failure import not_found
from streams.cli.lead_lookup import decisions_on
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import parsed, read
from streams.cli.writer import Outgoing, write
from streams.kafka.config import ClusterSettings

app = typer.Typer(add_completion=False, help="Review suspected spam: release it or block it.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; kept with the lead.")]

# What happens to a lead in quarantine without ending its stay.
LeadId = Annotated[str, typer.Argument(metavar="LEAD", help="Lead id, division.person.number.")]

_PASSING = (DecisionKind.TOUCHED, DecisionKind.NOTED)


@app.command("list")
def list_suspects(
    context: typer.Context,
    division: Annotated[str | None, typer.Option(help="Only this division.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the leads in quarantine, the oldest first, with what made each look like spam. No contact data.

    Example: leadstream quarantine list --division main
    """
    every = (decision for _, decision in parsed(read(context.obj.cluster(), "leads.assigned"), Decision))
    found = [one for one in in_quarantine(every) if division in (None, one.division)]
    if as_json:
        print_json([_told(one) for one in found])
        return
    print_table(
        ("lead", "since (UTC)", "signs", "mail", "source", "company", "rule"),
        [
            (
                one.lead_id,
                f"{one.at:%m-%d %H:%M:%S}",
                ", ".join(one.lead.suspect),
                one.lead.mail.kind.value,
                one.lead.source,
                one.lead.company.name,
                one.rule,
            )
            for one in found
        ],
        empty="Nothing is in quarantine.",
    )


@app.command()
def release(context: typer.Context, lead: LeadId, reason: Reason = "no spam", as_json: AsJson = False) -> None:
    """Let a lead in: it is routed as if it had just come, its clock from its submission.

    Example: leadstream quarantine release main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    _report(context.obj.cluster(), lead, ActivityKind.RELEASED, reason, as_json)


@app.command()
def block(context: typer.Context, lead: LeadId, reason: Reason = "spam", as_json: AsJson = False) -> None:
    """Keep a lead out: it is closed and nobody is told.

    Example: leadstream quarantine block main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    _report(context.obj.cluster(), lead, ActivityKind.BLOCKED, reason, as_json)


def in_quarantine(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions that put leads into quarantine where they still are, the oldest first."""
    held: dict[str, Decision] = {}
    for decision in decisions:
        if decision.kind is DecisionKind.QUARANTINED:
            held[decision.lead_id] = decision
        elif decision.kind not in _PASSING:
            held.pop(decision.lead_id, None)
    return sorted(held.values(), key=lambda decision: (decision.at, decision.lead_id))


def report_of(lead: str, kind: ActivityKind, by: str, reason: str) -> Outgoing:
    """Return the record that tells of a reviewer's choice. Made twice it has the same id, and counts once."""
    event_id = derived_id(lead, "cli", kind.value)
    body = encode(ActivityReported(id=event_id, kind=kind, lead_id=lead, by=by, reason=reason))
    return Outgoing(event_id, "leads.activity", lead, "activity.reported", body)


def _report(cluster: ClusterSettings, lead: str, kind: ActivityKind, reason: str, as_json: bool) -> None:
    if not in_quarantine(decisions_on(cluster, lead)):
        raise not_found(f"Lead {lead} is not in quarantine.", "leadstream quarantine list shows those that are.")
    write(cluster, [report_of(lead, kind, getpass.getuser(), reason)])
    if as_json:
        print_json({"lead": lead, "reported": kind.value})
    else:
        say(f"{lead} is reported as {kind.value}. What came of it: leadstream lead history {lead}")


def _told(one: Decision) -> dict[str, Any]:
    return {
        "lead": one.lead_id,
        "since": one.at,
        "signs": one.lead.suspect,
        "mail": one.lead.mail,
        "source": one.lead.source,
        "company": one.lead.company.name,
        "rule": one.rule,
    }
