"""`leadstream enrichment`: what providers are worth, beside each other, and how far people get in forms."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer

from enrichment.coverage import GOOD, WINDOW_DAYS, Counts, Worth, leads_in, worth
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import Record, read

app = typer.Typer(add_completion=False, help="See what data providers and forms are worth.", no_args_is_help=True)

_STORES = ("state.enrich", "state.pending")
_FIELDS = ("domain", "employees", "industry", "country")


@app.command()
def report(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 where a provider's fill rate has fallen by ten points.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the providers of the org file over the last 30 days: coverage, its fall, cost. An A/B is read off it.

    It counts what was asked anew; answers out of the cache cost nothing and tell nothing new.

    Example: leadstream enrichment report --check
    """
    from streams.topology import org_of

    org = org_of(context.obj.settings())
    today = datetime.now(UTC).date()
    rows = [_coverage(key, counts) for key, counts in _kept(context, "coverage/")]
    found, leads = worth(rows, today, org.enrichment.providers), leads_in(rows, today)
    if as_json:
        print_json({"days": WINDOW_DAYS, "leads": leads, "providers": [_told(one, leads) for one in found]})
    else:
        print_table(_COLUMNS, [_row(one, leads) for one in found], empty="No provider was asked in the last 30 days.")
        for line in remarks(found):
            say(line)
    fallen = [one.provider for one in found if one.degraded]
    if check and fallen:
        raise CommandFailed(
            f"The fill rate of {', '.join(fallen)} has fallen by ten points or more.",
            "Look at the provider's status page; compare with another by `share` in the org file.",
        )


@app.command()
def forms(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=35, help="How many days back.")] = WINDOW_DAYS,
    as_json: AsJson = False,
) -> None:
    """Show how often each step of each form was reached, and how many got from there to the end.

    Example: leadstream enrichment forms --days 7
    """
    oldest = datetime.now(UTC).date() - timedelta(days=days - 1)
    found = drop_off(_kept(context, "steps/"), oldest)
    if as_json:
        print_json([asdict_of(row) for row in found])
        return
    print_table(("form", "step", "reached", "finished of these"), found, empty="No form of several steps was used.")


def remarks(found: Iterable[Worth]) -> Iterator[str]:
    """Yield what somebody should look at."""
    for one in found:
        for name in one.degraded:
            fell, now = one.fall[name], one.fill[name]
            yield f"{one.provider}: {name} fell from {now + fell:.0%} to {now:.0%} of found companies within 30 days."
        if one.coverage is not None and one.coverage < GOOD:
            yield f"{one.provider}: all four fields for {one.coverage:.0%} of what was asked; {GOOD:.0%} is enough."


def drop_off(rows: Iterable[tuple[str, dict[str, Any]]], oldest: date) -> list[tuple[str, str, int, str]]:
    """Return form, step, how often it was reached, and the share that the form's final step has of it."""
    reached: dict[str, Counter[str]] = {}
    for key, value in rows:
        parts = key.split("/", 3)
        if len(parts) == 4 and date.fromisoformat(parts[1]) >= oldest:
            reached.setdefault(parts[2], Counter())[parts[3]] += value["count"]
    return [
        (form, step, count, f"{steps['final'] / count:.0%}")
        for form, steps in sorted(reached.items())
        for step, count in steps.most_common()
    ]


def asdict_of(row: tuple[str, str, int, str]) -> dict[str, Any]:
    """Return one step as JSON data."""
    return dict(zip(("form", "step", "reached", "finished"), row, strict=True))


def _kept(context: typer.Context, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the stores of both consumers hold under `prefix`; several partitions may have the same key."""
    last: dict[tuple[str, int, str], Record] = {}
    for topic in _STORES:
        for record in read(context.obj.cluster(), topic):
            if record.key_text.startswith(prefix):
                last[topic, record.partition, record.key_text] = record
    for record in last.values():
        if record.value is not None:
            yield record.key_text, orjson.loads(record.value)


def _coverage(key: str, value: dict[str, Any]) -> tuple[date, str, Counts]:
    _, day, provider = key.split("/", 2)
    return date.fromisoformat(day), provider, value["counts"]


_COLUMNS = ("provider", "asked", "found", "empty", "failed", "late", "all four", *_FIELDS, "cost", "per lead")


def _row(one: Worth, leads: int) -> tuple[Any, ...]:
    fill = (f"{one.fill[name]:.0%}" + _arrow(one, name) if name in one.fill else "-" for name in _FIELDS)
    whole = "-" if one.coverage is None else f"{one.coverage:.0%}"
    share = (f"{part / one.asked:.0%}" for part in (one.found, one.empty, one.failed, one.late))
    each = f"{one.cost / leads:.4f}" if leads else "-"
    return (one.provider, one.asked, *share, whole, *fill, f"{one.cost:.2f}", each)


def _arrow(one: Worth, name: str) -> str:
    return f" (-{one.fall[name] * 100:.0f})" if name in one.degraded else ""


def _told(one: Worth, leads: int) -> dict[str, Any]:
    more = {"coverage": one.coverage, "degraded": one.degraded, "cost_per_lead": one.cost / leads if leads else None}
    return asdict(one) | more
