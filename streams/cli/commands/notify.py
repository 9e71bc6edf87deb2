"""`leadstream notify`: what people will read, before anything is sent."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, refused
from streams.cli.output import AsJson, print_json, say

app = typer.Typer(add_completion=False, help="See what people will be told, and check the texts.", no_args_is_help=True)


@app.command()
def preview(
    context: typer.Context,
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="Lead id, division.person.number.")],
    channel: Annotated[str | None, typer.Option(help="One channel only: slack, email, sms, push, …")] = None,
    templates: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Use these texts, not those of the settings.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages of a lead's last decision that told anybody. Nothing is sent; it shows personal data.

    Example: leadstream notify preview main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1 --channel slack
    """
    from notifiers.channel import CHANNELS
    from notifiers.preview import preview as shown_of
    from notifiers.sandbox import TemplateRefused
    from notifiers.templates import load
    from schemas.rep import Rep
    from streams.cli.commands.lead import decisions_on
    from streams.cli.records import latest

    if channel is not None and channel not in CHANNELS:
        raise CommandFailed(f"There is no channel {channel!r}.", f"Known: {', '.join(CHANNELS)}.", ExitCode.USAGE)
    settings = context.obj.settings()
    try:
        texts = load(templates or settings.channels.templates)
    except TemplateRefused as error:
        raise refused(f"{error}.", "`leadstream notify lint FOLDER` lists everything that is wrong.") from error
    decision = next((one for one in reversed(decisions_on(settings.cluster, lead)) if one.notices), None)
    if decision is None:
        say(f"Nobody was told of lead {lead} yet.")
        return
    reps = {key: Rep.model_validate_json(row.value or b"") for key, row in latest(settings.cluster, "reps").items()}
    messages = tuple(shown_of(decision, channel, reps.get, texts, settings.channels))
    if as_json:
        print_json([asdict(message) for message in messages])
        return
    for message in messages:
        say(f"== {message.notice} to {message.recipient} by {message.channel}")
        if message.reason:
            say(f"not sent: {message.reason}\n")
        else:
            say(f"{message.subject}\n\n{message.text}\n")
    if not messages:
        say(f"The decision of {decision.at:%Y-%m-%d %H:%M:%S} UTC tells nobody by {channel}.")


@app.command()
def lint(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="Folder of texts.")],
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with the texts of a folder, with file and line. Exit code 6 if anything is.

    Example: leadstream notify lint texts/
    """
    from notifiers.sample import sample_fields
    from notifiers.templates import lint as problems_of

    problems = problems_of(folder, sample_fields())
    if as_json:
        print_json(problems)
    else:
        for problem in problems:
            say(problem)
        say(f"{len(problems)} problems." if problems else "No problems.")
    if problems:
        raise typer.Exit(ExitCode.REFUSED)
