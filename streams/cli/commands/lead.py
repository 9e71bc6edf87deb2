"""`leadstream lead`: why a lead is where it is."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.decision import Decision
from schemas.rep import Rep
from schemas.wire import encode
from streams.cli.failure import refused
from streams.cli.lead_lookup import decisions_on, lead_meant, settled_on
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import latest
from streams.kafka.config import ClusterSettings
from streams.rep_names import named

app = typer.Typer(add_completion=False, help="Ask why a lead is where it is.", no_args_is_help=True)

LeadMeant = Annotated[
    str,
    typer.Argument(
        metavar="LEAD",
        help="Lead id, mail address, CRM id such as hubspot:101, or the id that it was sent under.",
    ),
]

Otherwise = Annotated[
    bool, typer.Option("--otherwise", help="Also tell the smallest change that would have chosen otherwise.")
]


@app.command()
def explain(context: typer.Context, lead: LeadMeant, as_json: AsJson = False, otherwise: Otherwise = False) -> None:
    """Tell the whole story of a lead: which rule, which candidates and why not, who was told, what happened since.

    --otherwise replays the division's journal up to the lead, so it takes longer the longer that is.
    Example: leadstream lead explain main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    settings = context.obj.settings()
    decisions = decisions_on(settings.cluster, lead_meant(settings, lead))
    if as_json:
        print_json([decision.model_dump(mode="json", exclude={"contact"}) for decision in decisions])
        return
    from routing.explain import story
    from streams.cli.otherwise import otherwise as searched

    changes = searched(settings.cluster, decisions) if otherwise else ()
    told = story(decisions, changes, settled_on(settings.cluster, decisions[0].lead_id))
    say(named(told, rep_names(settings.cluster)))


@app.command()
def history(context: typer.Context, lead: LeadMeant, as_json: AsJson = False) -> None:
    """List every decision on a lead, a line each.

    Example: leadstream lead history main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    settings = context.obj.settings()
    decisions = decisions_on(settings.cluster, lead_meant(settings, lead))
    if as_json:
        print_json(
            [
                one.model_dump(mode="json", include={"at", "kind", "cause", "owner", "rule", "reason"})
                for one in decisions
            ]
        )
        return
    names = rep_names(settings.cluster)
    print_table(
        ("at (UTC)", "decision", "owner", "rule", "reason"),
        [
            (
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                one.kind.value,
                names.get(one.owner.id or "", one.owner.id),
                one.rule,
                named(one.reason, names),
            )
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


def rep_names(cluster: ClusterSettings) -> dict[str, str]:
    """Return rep id -> name, of the roster as it is now."""
    return {key: record.model.name for key, record in latest(cluster, "reps").items()}
