"""`leadstream lead`: why a lead is where it is."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.decision import Decision
from schemas.ids import person_of
from schemas.rep import Rep
from schemas.wire import encode
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, not_found, refused
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import parsed, partition_count, read
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


@app.command()
def preview(
    context: typer.Context,
    facts: Annotated[list[str], typer.Argument(metavar="FACT...", help="name=value, such as company.employees=600.")],
    division: Annotated[str, typer.Option(help="Whose roster, loads and turns.")] = "main",
    policy: Annotated[str, typer.Option(help="A file, a shipped name or a hash, in place of the active one.")] = "",
    roster: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Decide on this roster, without a cluster.")
    ] = None,
    at: Annotated[str, typer.Option(help="As if it came then, such as 2026-03-14T02:00:00-05:00; else now.")] = "",
    as_json: AsJson = False,
) -> None:
    """Decide a lead typed in, with no effect: where it would go now and why, and what would change that.

    Example: leadstream lead preview lead.action=demo company.employees=600 company.industry=saas --policy default
    """
    from routing.explain import story
    from routing.preview import FactUnknown, empty_division, typed_lead
    from routing.preview import preview as previewed
    from streams.cli.entries import read_entries
    from streams.cli.policies import body, compiled, shipped, text_of
    from streams.cli.preview import activated, active_in, division_now, facts_of, instant_of

    def text(name: str) -> str:
        return text_of(name) if name in shipped() or Path(name).is_file() else body(context.obj.cluster(), name).text

    now = instant_of(at)
    try:
        lead = typed_lead(facts_of(facts), now)
    except FactUnknown as error:
        raise refused(f"{error}.", "See the facts in docs/policy.md.") from error
    if roster is not None:
        chosen = compiled(policy or "default", text(policy or "default"))
        state = empty_division(chosen, read_entries(roster, Rep, "reps"), now)
    else:
        state = division_now(context.obj.cluster(), division)
        name = policy or active_in(state, division) or ""
        chosen = compiled(name, text(name))
        state = activated(state, chosen, now) if policy else state
    found = previewed(state, chosen, lead, now)
    # As they would be read from the topic: parts of a trace are kept encoded until then.
    decisions = [Decision.model_validate_json(encode(one) or b"") for one in found.decisions]
    if as_json:
        print_json({"decisions": decisions, "otherwise": found.otherwise})
    else:
        say(story(decisions, found.otherwise))


def decisions_on(cluster: ClusterSettings, lead: str) -> list[Decision]:
    """Return all decisions on a lead in order, from the one partition that its person is in. Raises CommandFailed."""
    if len(lead.split(".")) != 3:
        fix = "An id looks like main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1: division, person, number."
        raise CommandFailed(f"{lead!r} is no lead id.", fix, ExitCode.USAGE)
    person = person_of(lead)
    partition = partition_of(person.encode(), partition_count(cluster, "leads.assigned"))
    of_person = (one for one in read(cluster, "leads.assigned", (partition,)) if one.key_text == person)
    found = [decision for _, decision in parsed(of_person, Decision) if decision.lead_id == lead]
    if not found:
        fix = "leads.assigned keeps 30 days. A lead that is still on its way shows in `leadstream doctor` as lag."
        raise not_found(f"There is no decision on lead {lead}.", fix)
    return found
