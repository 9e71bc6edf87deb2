"""`leadstream reps`: the roster."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from schemas.rep import Rep
from streams.cli.entries import read_entries
from streams.cli.exit_code import ExitCode
from streams.cli.failure import not_found
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import latest
from streams.cli.table_import import put_all
from streams.kafka.config import ClusterSettings
from streams.quantity import counted

app = typer.Typer(add_completion=False, help="Import and look at the roster.", no_args_is_help=True)


@app.command("import")
def import_reps(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML, JSON, JSONL or CSV.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put everyone in FILE into the roster, or replace their entries. People not in FILE stay as they are.

    Example: leadstream reps import roster.yaml
    """
    reps = read_entries(file, Rep, "reps")
    count = 0 if dry_run else put_all(context.obj.cluster(), "reps", "rep.put", lambda rep: rep.id, reps)
    if as_json:
        print_json({"checked": len(reps), "written": count})
    else:
        say(f"{counted(len(reps), 'person', 'people')} checked, {count} written.")


@app.command("list")
def list_reps(
    context: typer.Context,
    division: Annotated[str | None, typer.Option(help="Only this division.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the roster.

    Example: leadstream reps list --division main
    """
    reps = [rep for rep in roster(context.obj.cluster()) if division in (None, rep.division)]
    if as_json:
        print_json(reps)
        return
    print_table(
        ("id", "name", "division", "role", "team", "segment, region", "seniority", "status"),
        [
            (one.id, one.name, one.division, one.role, one.team, _place(one), one.seniority, _status(one))
            for one in reps
        ],
        empty="The roster is empty. Next: leadstream reps import FILE",
    )


@app.command()
def show(
    context: typer.Context,
    rep_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: AsJson = False,
) -> None:
    """Show everything the roster says of one person.

    Example: leadstream reps show r-ada
    """
    found = next((rep for rep in roster(context.obj.cluster()) if rep.id == rep_id), None)
    if found is None:
        raise not_found(f"There is no rep {rep_id!r} in the roster.", "leadstream reps list shows who is.")
    if as_json:
        print_json(found)
    else:
        fields = found.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        print_table(("field", "value"), fields.items())


@app.command()
def calendars(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML: rep id -> ICS file or address.")],
    every: Annotated[str, typer.Option(help='Go on, and read again so often, such as "1h".')] = "",
    days: Annotated[int, typer.Option(min=1, max=400, help="How far ahead events are taken over.")] = 90,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the calendars, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take out-of-office events of people's calendars (iCalendar) into the roster as absences.

    Recurring events are laid out for the next days, so read again at least daily. A calendar that cannot be read leaves
    what was known, marked as stale; exit code 1 then.

    Example: leadstream reps calendars calendars.yaml --every 1h
    """
    from streams.cli.calendars import read_again, read_all
    from streams.cli.pause import pause_between

    read = partial(read_all, context.obj.cluster(), file, timedelta(days=days), writes=not dry_run)
    if every:
        read_again(read, pause_between(every))
        return
    told = read()
    if as_json:
        print_json(told)
    else:
        rows = [(one.rep, one.absences, one.changed, one.problem) for one in told]
        print_table(("rep", "absences", "changed", "problem"), rows, empty="The file names nobody.")
    raise typer.Exit(ExitCode.FAILED if any(one.problem for one in told) else ExitCode.OK)


def _place(rep: Rep) -> str | None:
    return ", ".join(name for name in (rep.segment, rep.region) if name) or None


def _status(rep: Rep) -> str:
    status = rep.status if rep.active else "inactive"
    is_stale = rep.calendar is not None and rep.calendar.stale_since is not None
    return f"{status}, calendar stale" if is_stale else status


def roster(cluster: ClusterSettings) -> list[Rep]:
    """Return everyone in the roster, by id."""
    people: list[Rep] = [record.model for record in latest(cluster, "reps").values()]
    return sorted(people, key=lambda rep: rep.id)
