"""The `leadstream` command: finds the command that is asked for, and turns every error into a line that helps."""

import os
import sys
import traceback
from collections import UserDict
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.target import Target

COMMANDS = (
    "demo",
    "up",
    "run",
    "broker",
    "intake",
    "feed",
    "board",
    "topics",
    "leads",
    "reps",
    "accounts",
    "policy",
    "lead",
    "audit",
    "notify",
    "crm",
    "enrichment",
    "quarantine",
    "dlq",
    "timers",
    "doctor",
    "manifests",
)


class LazyCommands(UserDict[str, Any]):
    """Command by name. A module is imported when its command is looked up, so that `leadstream x` loads x alone."""

    def __getitem__(self, name: str) -> Any:
        if self.data[name] is None:
            module = import_module(f"streams.cli.commands.{name}")
            self.data[name] = typer.main.get_command(module.app)
            self.data[name].name = name
        return self.data[name]


class LazyGroup(TyperGroup):
    """The root: the commands of `COMMANDS`, in that order."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands(dict.fromkeys(COMMANDS))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self.commands.get(cmd_name)


app = typer.Typer(
    name="leadstream",
    cls=LazyGroup,
    help="Give each inbound sales lead one accountable owner within seconds, exactly once, on Apache Kafka.",
    epilog="Start with: leadstream demo. Exit codes: 0 ok, 1 failed, 2 usage, 3 Kafka unreachable, 4 not found, "
    "5 settings, 6 input refused.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    context: typer.Context,
    bootstrap: Annotated[
        str | None, typer.Option(help="Kafka, host:port. Default: LEADSTREAM_BOOTSTRAP, then 127.0.0.1:9092.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="Prefix of topics and groups. Default: LEADSTREAM_NAMESPACE.")
    ] = None,
) -> None:
    """Keep the options that all commands share."""
    context.obj = Target(bootstrap, namespace)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with a code of `ExitCode`."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code. Errors are on stderr, without a traceback."""
    try:
        app(arguments, prog_name="leadstream")
    except SystemExit as stop:  # typer ends this way, usage errors told
        return stop.code if isinstance(stop.code, int) else ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `leadstream ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        return _told(error)
    return ExitCode.OK


def _told(error: Exception) -> int:
    failure = _failure(error)
    typer.secho(f"Error: {failure.what}", err=True, fg="red")
    if failure.fix:
        typer.echo(f"What to do: {failure.fix}", err=True)
    if "LEADSTREAM_DEBUG" in os.environ:
        traceback.print_exception(error)
    return failure.code


def _failure(error: Exception) -> CommandFailed:
    """Return what to tell of an error: a named one says it itself, any other is a fault of ours."""
    from confluent_kafka import KafkaException

    from streams.errors import LeadstreamError
    from streams.kafka.cluster import ClusterUnreachable
    from streams.settings import SettingsError

    if isinstance(error, CommandFailed):
        return error
    if isinstance(error, ClusterUnreachable):
        fix = "Start one with `leadstream broker`, or set LEADSTREAM_BOOTSTRAP (or --bootstrap) to yours."
        return CommandFailed(str(error), fix, ExitCode.UNREACHABLE)
    if isinstance(error, SettingsError):
        return CommandFailed(str(error), "docs/operating.md has all settings.", ExitCode.SETTINGS)
    if isinstance(error, LeadstreamError):
        return CommandFailed(str(error))
    if isinstance(error, KafkaException):
        fix = "Run `leadstream doctor`: it tells what is wrong with the cluster or the topics."
        return CommandFailed(f"Kafka: {error.args[0].str()}", fix, ExitCode.UNREACHABLE)
    if isinstance(error, OSError) and error.filename:
        return CommandFailed(f"{error.filename}: {error.strerror}.")
    if isinstance(error, OSError) and error.strerror:  # of what it prints to, say
        return CommandFailed(f"{error.strerror}.")
    fix = "This is a fault in leadstream. Run it again with LEADSTREAM_DEBUG=1 and report what it prints."
    said = next(iter(str(error).splitlines()), "")  # pydantic's further lines quote the input, which may be personal
    return CommandFailed(f"{type(error).__name__}: {said}", fix, ExitCode.BUG)


if __name__ == "__main__":
    main()
