"""`leadstream board`: what happens, in a browser."""

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from streams.board.settings import BoardSettings
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, say
from streams.intake.api_key import digest, new_key

app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback()
def board(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. Default: 8090.")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Ask for no login; loopback only.")] = False,
) -> None:
    """Show leads, reps and red flags in a browser, live. It reads the topics and can be deleted and rebuilt.

    Example: leadstream board --open
    """
    if context.invoked_subcommand is not None:
        return
    settings = board_settings(host=host, port=port, is_open=is_open or None)
    import logging

    from streams.lean import keep_few_arenas
    from streams.niceness import give_way

    process = context.obj.settings()
    keep_few_arenas()
    give_way(process.beside_nice)
    from streams.board.server import serve
    from streams.logs import configure_logs

    configure_logs(logging.INFO)
    raise typer.Exit(serve(settings, process))


@app.command("new-key")
def make_key(
    name: Annotated[str, typer.Argument(help='Who will look, for example "ada" or "wall".')], as_json: AsJson = False
) -> None:
    """Make a key to sign in with. It is shown once; only its SHA-256 goes into LEADSTREAM_BOARD_KEYS.

    Example: leadstream board new-key ada
    """
    if not name.strip() or ":" in name or "," in name:
        raise CommandFailed("A name has no colon and no comma.", "Give a short name.", ExitCode.USAGE)
    key = new_key()
    entry = f"{name}:{digest(key)}"
    if as_json:
        print_json({"name": name, "key": key, "entry": entry})
        return
    say(f"Key for {name}, shown this once: {key}")
    say(f"Add to LEADSTREAM_BOARD_KEYS: {entry}")


def board_settings(**given: Any) -> BoardSettings:
    """Return the settings of the environment, `given` first. Raises CommandFailed naming what is wrong."""
    try:
        return BoardSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"LEADSTREAM_BOARD_{'.'.join(map(str, row['loc'])).upper()}: {row['msg']}" for row in rows)
        raise CommandFailed(told, "docs/board.md lists the board's settings.", ExitCode.SETTINGS) from error
