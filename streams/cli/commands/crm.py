"""`leadstream crm`: what people changed in the CRM, read back; and both sides held against each other."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, print_table, say
from streams.quantity import counted

if TYPE_CHECKING:
    from notifiers.crm.reconcile import Difference, Standing
    from streams.crm.reading import Known, Round
    from streams.settings import Settings

app = typer.Typer(add_completion=False, help="Read the CRM back; find and mend differences.", no_args_is_help=True)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show it, write nothing.")]
Patience = Annotated[float, typer.Option(min=0, help="Try again for so many seconds while the CRM is away.")]
_SHOWN = 20


@app.command()
def sync(
    context: typer.Context,
    every: Annotated[float | None, typer.Option(min=5, help="Go on, a round each so many seconds.")] = None,
    patience: Patience = 120,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take over what changed in the CRM since the last round: owners, stages, contacts, users, accounts, open deals.

    A bookmark in Kafka says how far it has read. It runs beside webhooks or instead of them.

    Example: leadstream crm sync --every 60
    """
    from streams.crm.remotes import remote_of

    settings = context.obj.settings()
    remote = remote_of(settings.channels.crm, patience)
    while True:
        started = time.monotonic()
        found = _round(settings, remote, is_dry=dry_run)
        _tell_round(found, as_json=as_json)
        if every is None or dry_run:
            return
        time.sleep(max(0.0, every - (time.monotonic() - started)))


@app.command()
def users(context: typer.Context, patience: Patience = 120, as_json: AsJson = False) -> None:
    """Print the CRM's active users who are not on the roster, as a roster file to complete and import.

    They are inactive in it: add role, team and what your pools ask for, set active to true, and import the file.

    Example: leadstream crm users > newcomers.yaml
    """
    import yaml

    from streams.crm.reading import newcomers
    from streams.crm.remotes import remote_of

    settings = context.obj.settings()
    remote = remote_of(settings.channels.crm, patience)
    known = _known(settings)
    found = _outside(lambda: newcomers(remote.users(), known))
    rows = [rep.model_dump(mode="json", exclude_none=True, exclude_unset=True) for rep in found]
    if as_json:
        print_json({"reps": rows})
    else:
        typer.echo(yaml.safe_dump({"reps": rows}, sort_keys=False, allow_unicode=True), nl=False)


@app.command()
def reconcile(
    context: typer.Context,
    days: Annotated[float, typer.Option(min=0, help="Leads decided in the last so many days.")] = 7,
    settle: Annotated[float, typer.Option(min=0, help="Leave out what was decided in the last so many seconds.")] = 60,
    patience: Patience = 120,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Find the leads on which leadstream and the CRM differ, and mend them. Exit code 1 if any is left.

    A change that a person made in the CRM after our decision stands and is reported to leadstream; everything else is
    written to the CRM through its bulk endpoint, within its limits.

    Example: leadstream crm reconcile --dry-run
    """
    from notifiers.crm.reconcile import Mend, differences
    from streams.cli.writer import write
    from streams.crm.mending import mended
    from streams.crm.remotes import remote_of

    settings = context.obj.settings()
    remote = remote_of(settings.channels.crm, patience)
    known = _known(settings)
    now = datetime.now(UTC)
    ours = _standings(settings, remote.system, known, now - timedelta(days=days), now - timedelta(seconds=settle))
    users = frozenset(rep.crm_id for rep in known.reps.values() if rep.crm_id)
    held = _outside(lambda: list(remote.leads(list(ours))))
    found = list(differences(ours, held, users))
    left = [one for one in found if dry_run or one.mend is Mend.NONE]
    report: dict[str, Any] = {
        "leads": len(ours),
        "differences": len(found),
        "by_mend": Counter(one.mend.value for one in found),
    }
    if not dry_run:
        result = _outside(lambda: mended(remote, found, ours, known.reps, now))
        write(settings.cluster, result.records)
        report |= {"written": result.written, "reported": len(found) - result.written - len(left) - len(result.refused)}
        report |= {"refused": dict(result.refused)}
        left = [one for one in found if one.mend is Mend.NONE or one.lead_id in result.refused]
    _tell_differences(found if dry_run else left, report, as_json=as_json)
    if left:
        raise typer.Exit(ExitCode.FAILED)


def _round(settings: "Settings", remote: Any, *, is_dry: bool) -> "Round":
    from streams.cli.writer import write
    from streams.crm.reading import read_back

    now = datetime.now(UTC)
    known = _known(settings)
    found: Round = _outside(lambda: read_back(remote, known, now))
    if not is_dry:
        write(settings.cluster, found.records)
        write(settings.cluster, found.bookmarks)  # only now: a kill in between reads the same again, under the same ids
    return found


def _known(settings: "Settings") -> "Known":
    from streams.cli.records import latest
    from streams.crm.reading import Known

    def table(name: str) -> dict[str, Any]:
        return {key: record.model for key, record in latest(settings.cluster, name).items()}

    return Known(
        reps=table("reps"),
        accounts=table("accounts"),
        bookmarks={key: row.at for key, row in table("bookmarks").items()},
        xref={key: row.lead_id for key, row in table("xref").items()},
        stages=settings.channels.crm.stages,
    )


def _standings(
    settings: "Settings", system: str, known: "Known", since: datetime, until: datetime
) -> "dict[str, Standing]":
    from notifiers.templates import load
    from schemas.decision import Decision
    from streams.cli.records import parsed, read_since
    from streams.crm.standings import Standings

    standings = Standings(system, settings.channels, load(None), known.reps.get)
    for _, decision in parsed(read_since(settings.cluster, "leads.assigned", since), Decision):
        standings.put(decision)
    return standings.of(until)


def _outside(call: Any) -> Any:
    """Return what `call` returns; a CRM that stays away is told as such."""
    from notifiers.outcome import Refused, Retryable

    try:
        return call()
    except (Retryable, Refused) as error:
        fix = "Nothing is lost: run it again. docs/notifications.md names the scopes that it needs."
        raise CommandFailed(f"{error.reason[:1].upper()}{error.reason[1:]}.", fix) from error


def _tell_round(found: "Round", *, as_json: bool) -> None:
    unknown = [{"id": user.id, "name": user.name} for user in found.unknown]
    if as_json:
        print_json({**found.counts, "users_not_on_the_roster": unknown})
        return
    told = ", ".join(f"{count} {what}" for what, count in found.counts.items())
    say(f"{datetime.now(UTC):%H:%M:%S} read back: {told}.")
    if unknown:
        names = ", ".join(f"{user['name']} ({user['id']})" for user in unknown[:_SHOWN])
        say(f"{len(unknown)} active users are not on the roster: {names}{' …' if len(unknown) > _SHOWN else ''}")


@dataclass(frozen=True, slots=True)
class _Row:
    lead: str
    what: str
    mend: str


def _tell_differences(shown: "list[Difference]", report: dict[str, Any], *, as_json: bool) -> None:
    rows = [_Row(one.lead_id, _what(one), one.mend.value) for one in shown]
    if as_json:
        print_json({**report, "left": [{"lead": r.lead, "what": r.what, "mend": r.mend} for r in rows]})
        return
    if rows:
        print_table(("lead", "ours / theirs", "mend"), [(r.lead, r.what, r.mend) for r in rows[:_SHOWN]])
        if len(rows) > _SHOWN:
            say(f"… and {len(rows) - _SHOWN} more; --json lists all.")
    mends = ", ".join(f"{count} {mend}" for mend, count in sorted(report["by_mend"].items()))
    say(f"{counted(report['leads'], 'lead')} compared, {report['differences']} differ{f' ({mends})' if mends else ''}.")
    if "written" in report:
        say(f"{report['written']} written to the CRM, {report['reported']} reported here, {len(rows)} left.")


def _what(one: "Difference") -> str:
    if one.held is None:
        return "not in the CRM"
    if one.held.is_deleted:
        return "deleted in the CRM"
    return "; ".join(f"{name}: {mine or '-'} / {other or '-'}" for name, (mine, other) in one.fields.items())
