"""`leadstream leads`: import a file of them, or send one."""

import csv
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.ids import derived_id
from schemas.lead import SubmittedLead
from streams.cli.decided import wait_for_decision
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, refused
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.writer import Outgoing, write
from streams.importer.columns import mapping_of
from streams.importer.lead import WAYS_TO_A_LEAD, Import, ImportedLead, RejectedRow, imported, is_anonymous
from streams.importer.rows import FileRefused, SourceFile, opened, rows
from streams.quantity import counted

app = typer.Typer(add_completion=False, help="Import leads from a file, or send one.", no_args_is_help=True)


@dataclass(slots=True)
class Tally:
    """What an import came to, counted as it goes."""

    rows: int = 0
    leads: int = 0
    acknowledged: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)


@app.command("import")
def import_leads(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or JSONL, any usual encoding.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, send nothing.")] = False,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help='"Their column=our field"; "Their column=" drops it. Repeatable.')
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="field=value for rows that lack it. Repeatable.")
    ] = None,
    system: Annotated[
        str, typer.Option(help='Prefix of the ids in the file: "salesforce" makes salesforce:00Q….')
    ] = "",
    report: Annotated[
        Path | None, typer.Option(help="Where rejected rows are listed. Default: FILE.rejected.csv")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send every row of FILE to leads.bulk. Exit code 1 if any row was rejected; the others are in.

    The columns of Salesforce, HubSpot, Dynamics, Zoho and Pipedrive are known (docs/import.md). A row keeps its id
    when it is imported again, so a second import of the same file is recognised.

    Example: leadstream leads import hubspot.csv --system hubspot --set action=content --dry-run
    """
    plan = Import(_pairs(columns, "--map"), system, _pairs(set_, "--set"))
    for name in (*plan.mapping.values(), *plan.defaults):
        if name and name not in SubmittedLead.model_fields:
            known = ", ".join(SubmittedLead.model_fields)
            raise CommandFailed(f"{name!r} is no field of a lead.", f"Known: {known}.", ExitCode.USAGE)
    source = _opened(file, plan)
    if not as_json:
        _say_mapping(source, plan)
    tally = Tally()
    if dry_run:
        for _ in _outgoing(source, plan, tally):
            pass
    else:
        _send(context, source, plan, tally)
    path = report or file.with_name(file.name + ".rejected.csv")
    if tally.rejected:
        _write_report(path, tally.rejected)
    _say_outcome(source, tally, path, as_json)
    raise typer.Exit(ExitCode.FAILED if tally.rejected else ExitCode.OK)


@app.command()
def send(
    context: typer.Context,
    lead: Annotated[str, typer.Argument(help='A JSON object, or "-" to read it from standard input.')] = "{}",
    set_: Annotated[list[str] | None, typer.Option("--set", help="field=value. Repeatable.")] = None,
    wait: Annotated[float, typer.Option(help="Wait so many seconds for the decision.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Send one lead to leads.raw, and with --wait see who gets it.

    Example: leadstream leads send --set email=ada@stripe.com --set action=demo --wait 10
    """
    given: Any = _parsed(sys.stdin.read() if lead == "-" else lead) | _pairs(set_, "--set")
    if not any(given.get(name) for name in WAYS_TO_A_LEAD):
        raise refused(f"None of {', '.join(WAYS_TO_A_LEAD)} is given.", "Give at least one.")
    own_id = given.get("id")
    event_id = derived_id(str(own_id), "cli", "lead") if own_id else str(uuid.uuid4())  # an own id may be an address
    body = {"submitted_at": datetime.now(UTC).isoformat(), "source": "cli", "id": event_id} | given
    cluster = context.obj.cluster()
    with wait_for_decision(cluster, event_id, wait) as decision:
        write(cluster, [Outgoing(event_id, "leads.raw", event_id, "lead.submitted", orjson.dumps(body))])
        decided = decision() if wait else None
    if as_json:
        print_json({"event_id": event_id, "decision": decided})
    else:
        say(f"Sent: {event_id}")
        if decided is not None:
            say(f"{decided.lead_id}: {decided.reason}")
            say(f"More: leadstream lead explain {decided.lead_id}")
    if wait and decided is None:
        fix = "Are all stages running? leadstream doctor tells; leadstream up starts them."
        raise CommandFailed(f"No decision within {wait:g} s; the lead is in leads.raw.", fix)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        name, equals, value = text.rpartition("=") if option == "--map" else text.partition("=")
        if not equals or not name:
            raise CommandFailed(f"{option} {text!r} has no name=value.", "Write name=value.", ExitCode.USAGE)
        pairs[name.strip()] = value.strip()
    return pairs


def _parsed(text: str) -> dict[str, Any]:
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CommandFailed(
            f"The lead is no JSON: {error}.", "Quote it for the shell: '{...}'.", ExitCode.USAGE
        ) from error
    if not isinstance(fields, dict):
        raise CommandFailed("A lead is a JSON object.", 'For example: {"email": "a@b.com"}', ExitCode.USAGE)
    return fields


def _opened(file: Path, plan: Import) -> SourceFile:
    try:
        source = opened(file)
    except FileRefused as error:
        raise refused(f"{file} {error.what}.", error.fix) from error
    if source.format == "csv" and is_anonymous(source.columns, plan):
        what = f"{file}: no column is one of {', '.join(WAYS_TO_A_LEAD)}."
        fix = 'Is the first line a header? Else say what a column is: --map "Their column=email".'
        raise refused(what, fix)
    return source


def _outgoing(source: SourceFile, plan: Import, tally: Tally) -> Iterator[Outgoing]:
    for one in imported(rows(source), plan):
        tally.rows += 1
        match one:
            case ImportedLead():
                tally.leads += 1
                yield Outgoing(one.event_id, "leads.bulk", one.event_id, "lead.submitted", one.value)
            case RejectedRow():
                tally.rejected.append(one)


def _send(context: typer.Context, source: SourceFile, plan: Import, tally: Tally) -> None:
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn())
    with Progress(*shown, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        total = sum(1 for _ in rows(source))
        task = progress.add_task("Acknowledged by Kafka", total=total)

        def delivered() -> None:
            tally.acknowledged += 1
            progress.update(task, completed=tally.acknowledged + len(tally.rejected))

        write(context.obj.cluster(), _outgoing(source, plan, tally), delivered)


def _say_mapping(source: SourceFile, plan: Import) -> None:
    how = f", delimiter {source.delimiter!r}" if source.format == "csv" else ""
    say(f"{source.path}: {source.format}, {source.encoding}{how}")
    if source.format == "csv":
        mapping = mapping_of(source.columns, plan.mapping)
        kept = [(column, "kept as it is") for column in mapping.kept]
        print_table(("column", "field"), [*mapping.fields.items(), *kept])


def _write_report(path: Path, rejected: list[RejectedRow]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("row", "reason"))
        out.writerows((one.row, one.reason) for one in rejected)


def _say_outcome(source: SourceFile, tally: Tally, report: Path, as_json: bool) -> None:
    if as_json:
        print_json(
            {"format": source.format, "encoding": source.encoding, "rows": tally.rows, "leads": tally.leads}
            | {"acknowledged": tally.acknowledged, "rejected": len(tally.rejected)}
            | {"report": str(report) if tally.rejected else None}
        )
        return
    said = f"{counted(tally.rows, 'row')}: {counted(tally.leads, 'lead')}"
    say(f"{said}, {tally.acknowledged} sent, {len(tally.rejected)} rejected.")
    if tally.rejected:
        first = tally.rejected[0]
        say(f"Rejected rows are listed in {report}; the first is row {first.row}: {first.reason}.")
