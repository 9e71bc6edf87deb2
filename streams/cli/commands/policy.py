"""`leadstream policy`: check, understand, publish and activate the rules of a division."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.rep import Rep
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.policies import (
    activate as activate_body,
)
from streams.cli.policies import (
    activations,
    bodies,
    body,
    compiled,
    pointers,
    require_activatable,
    shipped,
    text_of,
)
from streams.cli.policies import (
    publish as publish_policy,
)

if TYPE_CHECKING:
    from routing.finding import Finding

app = typer.Typer(
    add_completion=False, help="Check, explain, publish and activate the rules of a division.", no_args_is_help=True
)

File = Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or the name of a shipped one.")]
Roster = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Check against this roster file, not the cluster's.")
]


@app.command()
def lint(file: File, roster: Roster = None, as_json: AsJson = False) -> None:
    """Find what is wrong with a policy, with line and column. Exit code 6 on errors, 0 on warnings only.

    Without --roster nothing is asked of a cluster, and who is in which pool isn't checked.

    Example: leadstream policy lint policy.yaml --roster roster.yaml
    """
    from routing.finding import Finding, Severity
    from routing.lint import lint as findings_of
    from routing.policy import PolicyInvalid, compile_policy
    from streams.cli.entries import PLACED, placed_entries, read_entries

    rows = None if roster is None or roster.suffix.lower() not in PLACED else placed_entries(roster, Rep, "reps")
    reps = rows.rows if rows else None if roster is None else read_entries(roster, Rep, "reps")
    found: tuple[Finding, ...]
    try:
        found = tuple(findings_of(compile_policy(text_of(file)), reps))
    except PolicyInvalid as error:
        found = error.findings
    if rows is not None:
        found = tuple(rows.located(finding, "id") for finding in found)
    if as_json:
        print_json(found)
    else:
        for finding in found:
            say(f"{roster if finding.where.path.startswith('roster.') else file}: {finding}")
        say(_counted(found))
    errors = any(finding.severity is Severity.ERROR for finding in found)
    raise typer.Exit(ExitCode.REFUSED if errors else ExitCode.OK)


@app.command()
def explain(
    file: File,
    flowchart: Annotated[bool, typer.Option("--flowchart", help="A Mermaid flowchart in place of sentences.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say a policy in sentences, for a wiki.

    Example: leadstream policy explain default --flowchart
    """
    from routing.policy_flowchart import flowchart as drawn
    from routing.policy_text import explain as told

    policy = compiled(file, text_of(file))
    text = drawn(policy) if flowchart else told(policy)
    if as_json:
        print_json({"hash": policy.hash, "division": policy.file.division, "text": text})
    else:
        say(text)


@app.command()
def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="A file, a shipped name, a hash, or a division for its active one.")],
    new: Annotated[str, typer.Argument(help="The same.")],
    as_json: AsJson = False,
) -> None:
    """Say which kinds of lead the NEW policy treats otherwise than the OLD one.

    Example: leadstream policy diff main policy.yaml
    """
    from routing.policy_diff import diff as differences
    from routing.policy_diff_text import sentences

    before, after = (compiled(name, _text(context, name)) for name in (old, new))
    told = differences(before, after)
    if as_json:
        print_json(told)
        return
    for line in sentences(told):
        say(line)


@app.command("test")
def run_examples(file: File, as_json: AsJson = False) -> None:
    """Decide the examples kept in a policy file, and compare. Exit code 1 if one comes out otherwise.

    Example: leadstream policy test policy.yaml
    """
    from routing.policy_examples import run_examples as results_of

    found = results_of(compiled(file, text_of(file)))
    if as_json:
        print_json(found)
    else:
        rows = [("ok" if not one.wrong else "WRONG", one.name, one.rule, "; ".join(one.wrong)) for one in found]
        print_table(("", "example", "rule", "otherwise than expected"), rows, empty="The file has no examples.")
    raise typer.Exit(ExitCode.FAILED if any(one.wrong for one in found) else ExitCode.OK)


@app.command()
def publish(context: typer.Context, file: File, roster: Roster = None, as_json: AsJson = False) -> None:
    """Put a policy on the cluster under its hash. It takes effect when it is activated. Errors refuse it.

    Example: leadstream policy publish policy.yaml
    """
    policy = compiled(file, text_of(file))
    published = publish_policy(context.obj.cluster(), policy, _roster(context, roster))
    if as_json:
        print_json({"hash": published.hash, "division": published.division})
        return
    say(f"Published {published.hash} for division {published.division}.")
    say(f'Next: leadstream policy activate {published.hash} --reason "..."')


@app.command()
def activate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="HASH", help="Of a published policy; its first digits will do.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the division's log.")],
    roster: Roster = None,
    as_json: AsJson = False,
) -> None:
    """Make a division decide by a published policy, from one definite point in its log on. Roll back the same way.

    Example: leadstream policy activate 3f9a --reason "new territory split"
    """
    if not reason.strip():
        raise CommandFailed("An activation needs a reason.", "Give --reason TEXT.", ExitCode.USAGE)
    cluster = context.obj.cluster()
    published = body(cluster, name)
    require_activatable(compiled(published.hash, published.text), _roster(context, roster))
    activated = activate_body(cluster, published, reason)
    if as_json:
        print_json(activated)
    else:
        say(f"Division {activated.division} decides by {activated.hash} from {activated.at:%Y-%m-%d %H:%M:%S} UTC on.")


@app.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A hash, a division for its active one, or a shipped name.")] = "main",
    as_json: AsJson = False,
) -> None:
    """Print a policy as it was written.

    Example: leadstream policy show main > policy.yaml
    """
    if name in shipped():
        text = text_of(name)
        print_json({"name": name, "text": text}) if as_json else typer.echo(text, nl=False)
        return
    found = body(context.obj.cluster(), name)
    print_json(found) if as_json else typer.echo(found.text, nl=False)


@app.command()
def history(
    context: typer.Context,
    division: Annotated[str, typer.Argument(help="Whose activations.")] = "main",
    as_json: AsJson = False,
) -> None:
    """List who activated what and why, and the policies that are published.

    Example: leadstream policy history main
    """
    cluster = context.obj.cluster()
    done = activations(cluster, division)
    published = [one for one in bodies(cluster).values() if one.division == division]
    active = pointers(cluster).get(division)
    if as_json:
        briefly = [one.model_dump(mode="json", exclude={"text"}) for one in published]
        print_json({"active": active, "activations": done, "published": briefly})
        return
    say(f"Active: {active.hash if active else 'none'}")
    rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}", one.hash, one.by, one.reason) for one in done]
    print_table(("activated (UTC)", "hash", "by", "reason"), rows, empty="No activation in the last 30 days.")
    files = [(f"{one.published_at:%Y-%m-%d %H:%M:%S}", one.hash, one.published_by) for one in published]
    print_table(("published (UTC)", "hash", "by"), files, empty="Nothing is published.")


def _counted(found: "Sequence[Finding]") -> str:
    """Return "1 error, 3 warnings." """
    from routing.finding import Severity

    errors = sum(finding.severity is Severity.ERROR for finding in found)
    counts = ((errors, "error"), (len(found) - errors, "warning"))
    said = ", ".join(f"{count} {noun}" if count == 1 else f"{count} {noun}s" for count, noun in counts if count)
    return f"{said}." if said else "No errors, no warnings."


def _text(context: typer.Context, name: str) -> str:
    if name in shipped() or "/" in name or Path(name).suffix in (".yaml", ".yml") or Path(name).is_file():
        return text_of(name)
    return body(context.obj.cluster(), name).text


def _roster(context: typer.Context, path: Path | None) -> list[Rep]:
    from streams.cli.commands.reps import roster
    from streams.cli.entries import read_entries

    return roster(context.obj.cluster()) if path is None else list(read_entries(path, Rep, "reps"))
