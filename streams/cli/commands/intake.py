"""`leadstream intake`: the HTTP way in, and its API keys."""

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, say
from streams.intake.api_key import digest, new_key
from streams.intake.settings import IntakeSettings

app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback()
def intake(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. Default: 8080.")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Ask for no API key; loopback only.")] = False,
) -> None:
    """Take leads, activity and roster changes over HTTP: POST /leads, POST /activity, PUT /reps/{id}.

    It answers once Kafka has acknowledged. /openapi.json describes it all.

    Example: leadstream intake --port 8080
    """
    if context.invoked_subcommand is not None:
        return
    given: dict[str, Any] = {"host": host, "port": port, "is_open": is_open or None}
    try:
        settings = IntakeSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"LEADSTREAM_INTAKE_{'.'.join(map(str, row['loc'])).upper()}: {row['msg']}" for row in rows)
        raise CommandFailed(told, "docs/cli.md lists the intake's settings.", ExitCode.SETTINGS) from error
    import logging

    import structlog

    from streams.intake.server import serve
    from streams.logs import configure_logs

    configure_logs(logging.INFO)
    serve(settings, context.obj.settings(), structlog.get_logger())


@app.command("new-key")
def make_key(
    name: Annotated[str, typer.Argument(help='Who will use it, for example "website".')], as_json: AsJson = False
) -> None:
    """Make an API key. It is shown once; the intake keeps its SHA-256 only.

    Example: leadstream intake new-key website
    """
    if not name.strip() or ":" in name or "," in name:
        raise CommandFailed("A name has no colon and no comma.", "Give a short name.", ExitCode.USAGE)
    key = new_key()
    entry = f"{name}:{digest(key)}"
    if as_json:
        print_json({"name": name, "key": key, "entry": entry})
        return
    say(f"Key (give it to {name}, it is not shown again): {key}")
    say(f"Entry (add it to LEADSTREAM_INTAKE_KEYS, or to LEADSTREAM_INTAKE_KEYS_FILE): {entry}")
