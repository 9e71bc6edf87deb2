"""`leadstream doctor`: what is wrong, and what to do about it."""

import typer

from streams.cli.diagnosis import Check, checks
from streams.cli.exit_code import ExitCode
from streams.cli.output import AsJson, print_json, print_table
from streams.kafka.finding import Severity

app = typer.Typer(add_completion=False)


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check settings, broker, topics, clock, policy, roster, dead letters and whether each stage runs; say what to do.

    Exit code 1 if anything is an error, 3 if the broker does not answer.

    Example: leadstream doctor
    """
    found = list(checks(context.obj.settings()))
    if as_json:
        print_json(found)
    else:
        rows = [(_mark(check), check.name, check.what, check.remedy) for check in found]
        print_table(("", "check", "found", "what to do"), rows)
    raise typer.Exit(_code(found))


def _mark(check: Check) -> str:
    return "ok" if check.severity is None else check.severity.value


def _code(found: list[Check]) -> ExitCode:
    errors = [check.name for check in found if check.severity is Severity.ERROR]
    if "broker" in errors:
        return ExitCode.UNREACHABLE
    return ExitCode.FAILED if errors else ExitCode.OK
