"""`leadstream audit`: the packs that people go through every month and every quarter."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.audit.period import Period, last_month, last_quarter, month, quarter
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, say
from streams.kafka.config import ClusterSettings
from streams.quantity import counted

if TYPE_CHECKING:
    from streams.audit.evidence import Evidence
    from streams.audit.pack import Pack

app = typer.Typer(add_completion=False, help="Make the monthly and the quarterly audit pack.", no_args_is_help=True)

Into = Annotated[Path, typer.Option("--out", help="Folder to write into; the pack gets a folder of its own there.")]


@app.command()
def monthly(
    context: typer.Context,
    of: Annotated[str, typer.Option("--month", help="Which month, 2026-10. Default: the last whole one.")] = "",
    out: Into = Path("audits"),
    as_json: AsJson = False,
) -> None:
    """Write roster, territories, accounts, unexpected assignments and a report a rep: for the first Monday.

    Example: leadstream audit monthly --month 2026-10 --out audits
    """
    from streams.audit.monthly import monthly as pack

    _made(context.obj.cluster(), _period(of, month, last_month, "2026-10"), pack, out, as_json)


@app.command()
def quarterly(
    context: typer.Context,
    of: Annotated[str, typer.Option("--quarter", help="Which quarter, 2026-Q3. Default: the last whole one.")] = "",
    out: Into = Path("audits"),
    as_json: AsJson = False,
) -> None:
    """Write rule conflicts, provider coverage, 50 leads to check by hand, and how each path performs.

    Example: leadstream audit quarterly --quarter 2026-Q3
    """
    from streams.audit.quarterly import quarterly as pack

    _made(context.obj.cluster(), _period(of, quarter, last_quarter, "2026-Q3"), pack, out, as_json)


def _period(said: str, parsed: Callable[[str], Period], default: Callable[..., Period], example: str) -> Period:
    if not said:
        return default(datetime.now(UTC).date())
    try:
        return parsed(said)
    except ValueError as error:
        raise CommandFailed(f"{said!r} is no such period.", f"Write it like {example}.", ExitCode.USAGE) from error


def _made(
    cluster: ClusterSettings, period: Period, pack: "Callable[[Evidence], Pack]", out: Path, as_json: bool
) -> None:
    from streams.audit.evidence import evidence
    from streams.audit.pack import write

    found = evidence(cluster, period)
    files = write(pack(found), out)
    if as_json:
        print_json({"period": period.name, "leads": len(found.cases), "files": [str(file) for file in files]})
        return
    say(
        f"{counted(len(found.cases), 'lead')} of {period.name}. Read {files[0]}; {len(files) - 1} tables are beside it."
    )
