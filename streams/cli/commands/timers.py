"""`leadstream timers`: what waits to wake up."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from schemas.timer import TimerArmed
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import latest
from streams.kafka.config import ClusterSettings

app = typer.Typer(add_completion=False, help="Look at pending wake-ups.", no_args_is_help=True)


@app.command("list")
def list_timers(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="The next so many.")] = 20,
    of: Annotated[str, typer.Option(help='Only those whose key starts so, for example "lead/main.".')] = "",
    as_json: AsJson = False,
) -> None:
    """List the wake-ups that are due next.

    Example: leadstream timers list --limit 5
    """
    now = datetime.now(UTC)
    pending = [(key, timer) for key, timer in armed(context.obj.cluster()) if key.startswith(of)][:limit]
    if as_json:
        print_json([{"key": key, **timer.model_dump(mode="json")} for key, timer in pending])
        return
    print_table(
        ("wakes", "due (UTC)", "in seconds", "returns to"),
        [(k, f"{t.due_at:%Y-%m-%d %H:%M:%S}", round((t.due_at - now).total_seconds()), t.topic) for k, t in pending],
        empty="Nothing waits.",
    )


@app.command()
def stats(context: typer.Context, as_json: AsJson = False) -> None:
    """Count the pending wake-ups: by what wakes, how many are overdue, when the next is due.

    Example: leadstream timers stats
    """
    now = datetime.now(UTC)
    pending = list(armed(context.obj.cluster()))
    told = {
        "pending": len(pending),
        "overdue": sum(timer.due_at <= now for _, timer in pending),
        "next_due_at": pending[0][1].due_at if pending else None,
        "by_kind": dict(Counter(key.partition("/")[0] for key, _ in pending)),
        "by_topic": dict(Counter(timer.topic for _, timer in pending)),
    }
    if as_json:
        print_json(told)
        return
    say(f"{told['pending']} pending, {told['overdue']} overdue; next due: {told['next_due_at'] or '-'}")
    print_table(("kind", "pending"), Counter(key.partition("/")[0] for key, _ in pending).most_common())


def armed(cluster: ClusterSettings) -> list[tuple[str, TimerArmed]]:
    """Return (what wakes, its timer), the next due first."""
    records = latest(cluster, "leads.timers").items()
    timers = [(key, TimerArmed.model_validate_json(record.value or b"")) for key, record in records]
    return sorted(timers, key=lambda pair: (pair[1].due_at, pair[0]))
