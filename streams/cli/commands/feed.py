"""`leadstream feed`: what happened to leads, posted to receivers outside."""

import typer

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed

app = typer.Typer(add_completion=False)


@app.command()
def feed(context: typer.Context) -> None:
    """Post events of every stage to the webhooks whose `events` ask for them, until SIGTERM. Run one.

    Each is signed (Standard Webhooks) and has an id that stays the same, whatever dies: who drops ids that it has seen
    counts each once. A receiver seen first begins with what comes from now on.

    Example: leadstream feed
    """
    from streams.feed.process import run
    from streams.niceness import give_way

    settings = context.obj.settings()
    if not settings.channels.fed:
        fix = 'Give one a list, such as webhooks: {warehouse: {url: …, secret: …, events: ["lead.assigned"]}}.'
        raise CommandFailed("No webhook in the channels' settings asks for events.", fix, ExitCode.SETTINGS)
    give_way(settings.beside_nice)
    raise typer.Exit(run(settings))
