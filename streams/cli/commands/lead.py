"""`leadstream lead`: why a lead is where it is."""

from typing import Annotated

import typer

from schemas.decision import Decision
from schemas.ids import person_of
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, not_found
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import partition_count, read
from streams.kafka.config import ClusterSettings
from streams.kafka.murmur2 import partition_of

app = typer.Typer(add_completion=False, help="Ask why a lead is where it is.", no_args_is_help=True)

LeadId = Annotated[str, typer.Argument(metavar="LEAD", help="Lead id, division.person.number; see leads.assigned.")]


Otherwise = Annotated[
    bool, typer.Option("--otherwise", help="Also tell the smallest change that would have chosen otherwise.")
]


@app.command()
def explain(context: typer.Context, lead: LeadId, as_json: AsJson = False, otherwise: Otherwise = False) -> None:
    """Tell the whole story of a lead: which rule, which candidates and why not, what happened since.

    --otherwise replays the division's journal up to the lead, so it takes longer the longer that is.
    Example: leadstream lead explain main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    decisions = decisions_on(context.obj.cluster(), lead)
    if as_json:
        print_json([decision.model_dump(mode="json", exclude={"contact"}) for decision in decisions])
        return
    from routing.explain import story

    if otherwise:
        from streams.cli.otherwise import otherwise as searched

        say(story(decisions, searched(context.obj.cluster(), decisions)))
        return
    say(story(decisions))


@app.command()
def history(context: typer.Context, lead: LeadId, as_json: AsJson = False) -> None:
    """List every decision on a lead, a line each.

    Example: leadstream lead history main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    decisions = decisions_on(context.obj.cluster(), lead)
    if as_json:
        print_json(
            [
                one.model_dump(mode="json", include={"at", "kind", "cause", "owner", "rule", "reason"})
                for one in decisions
            ]
        )
        return
    print_table(
        ("at (UTC)", "decision", "cause", "owner", "rule", "reason"),
        [
            (f"{one.at:%Y-%m-%d %H:%M:%S}", one.kind.value, one.cause, one.owner.id, one.rule, one.reason)
            for one in decisions
        ],
    )


def decisions_on(cluster: ClusterSettings, lead: str) -> list[Decision]:
    """Return all decisions on a lead in order, from the one partition that its person is in. Raises CommandFailed."""
    if len(lead.split(".")) != 3:
        fix = "An id looks like main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1: division, person, number."
        raise CommandFailed(f"{lead!r} is no lead id.", fix, ExitCode.USAGE)
    person = person_of(lead)
    partition = partition_of(person.encode(), partition_count(cluster, "leads.assigned"))
    found = [
        decision
        for record in read(cluster, "leads.assigned", (partition,))
        if record.key_text == person and (decision := Decision.model_validate_json(record.value or b"")).lead_id == lead
    ]
    if not found:
        fix = "leads.assigned keeps 30 days. A lead that is still on its way shows in `leadstream doctor` as lag."
        raise not_found(f"There is no decision on lead {lead}.", fix)
    return found
