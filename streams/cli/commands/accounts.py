"""`leadstream accounts`: customers, named accounts and open opportunities."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.account import Account
from streams.cli.entries import read_entries
from streams.cli.exit_code import ExitCode
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import latest
from streams.cli.table_import import put_all

app = typer.Typer(add_completion=False, help="Import and list accounts.", no_args_is_help=True)


@app.command("import")
def import_accounts(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML, JSON, JSONL or CSV.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put every account in FILE into the table, or replace its entry. The domain is the key.

    Example: leadstream accounts import accounts.csv
    """
    accounts = read_entries(file, Account, "accounts", key="domain")
    cluster = context.obj.cluster()
    count = 0 if dry_run else put_all(cluster, "accounts", "account.put", lambda one: one.domain, accounts)
    if as_json:
        print_json({"checked": len(accounts), "written": count})
    else:
        say(f"{len(accounts)} accounts checked, {count} written.")


@app.command()
def check(
    context: typer.Context,
    leads: Annotated[bool, typer.Option(help="Compare with the leads of the last 14 days too.")] = True,
    every: Annotated[str, typer.Option(help='Go on, and check again so often, such as "1d".')] = "",
    as_json: AsJson = False,
) -> None:
    """Find accounts whose data has aged: owners who left, companies that moved, were renamed or bought, doubles.

    Exit code 1 where something was found. Run it daily.
    Example: leadstream accounts check --json
    """
    from streams.cli.account_check import check_again, checked
    from streams.cli.pause import pause_between

    if every:
        check_again(context.obj.cluster(), pause_between(every), with_leads=leads)
        return
    found = checked(context.obj.cluster(), with_leads=leads)
    if as_json:
        print_json(found)
    else:
        rows = [(one.domain, one.kind, one.what, one.fix) for one in found]
        print_table(("account", "finding", "what", "what to do"), rows, empty="Every account is in order.")
    raise typer.Exit(ExitCode.FAILED if found else ExitCode.OK)


@app.command("list")
def list_accounts(context: typer.Context, as_json: AsJson = False) -> None:
    """List the accounts.

    Example: leadstream accounts list --json
    """
    records = latest(context.obj.cluster(), "accounts")
    accounts: list[Account] = [record.model for _, record in sorted(records.items())]
    if as_json:
        print_json(accounts)
        return
    print_table(
        ("domain", "name", "owner", "named", "customer", "open opportunity"),
        [(a.domain, a.name, a.owner, a.is_named, a.is_customer, a.has_open_opportunity) for a in accounts],
        empty="There are no accounts. Next: leadstream accounts import FILE",
    )
