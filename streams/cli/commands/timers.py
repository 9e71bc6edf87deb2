"""`leadstream timers`: what waits to wake up."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from routing.explain import spell
from schemas.timer import TimerArmed, why_never
from streams.cli.failure import not_found
from streams.cli.output import AsJson, print_json, print_table, say
from streams.cli.records import Record, partition_count, read, readable
from streams.kafka.config import ClusterSettings
from streams.kafka.murmur2 import partition_of

TOPIC = "leads.timers"
SHOWN = 10  # records of one key; the topic keeps the others until it is compacted

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
        ("wakes", "due (UTC)", "when", "returns to"),
        [(k, f"{t.due_at:%Y-%m-%d %H:%M:%S}", _relative(t.due_at - now), t.topic) for k, t in pending],
        empty=f'Nothing waits whose key starts with "{of}".' if of else "Nothing waits.",
    )


@app.command()
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="What wakes, as `timers list` has it, or a lead id.")],
    as_json: AsJson = False,
) -> None:
    """Show one wake-up: whether it is armed, for when, and what leads.timers still has of it from before.

    Example: leadstream timers show main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1
    """
    cluster = context.obj.cluster()
    key = key.strip()
    if not key:
        raise typer.BadParameter("name what wakes, or a lead id", param_hint="KEY")
    name = key if "/" in key else f"lead/{key}"
    records = _records_of(cluster, name)
    if not records:
        fix = "`leadstream timers list` shows what waits. What fired or was cancelled is compacted away in time."
        raise not_found(f"leads.timers has nothing of {name}.", fix)
    now = datetime.now(UTC)
    told = [_told(record, timer) for record, timer in _that_can_fire(readable(records))]
    if as_json:
        print_json({"key": name, "records": told})
        return
    last = told[-1]["armed"] if told else None
    say(f"{name} {'is not armed.' if last is None else _armed_for(last, now)}")
    if not told:
        return
    print_table(
        ("written (UTC)", "by", "what", "due (UTC)", "returns to"),
        [
            (
                f"{one['at']:%Y-%m-%d %H:%M:%S}",
                one["by"],
                "tombstone: fired or cancelled" if one["armed"] is None else "armed",
                None if one["armed"] is None else f"{one['armed'].due_at:%Y-%m-%d %H:%M:%S}",
                None if one["armed"] is None else one["armed"].topic,
            )
            for one in told[-SHOWN:]
        ],
    )
    if len(told) > SHOWN:
        say(f"and {len(told) - SHOWN} before")


def _records_of(cluster: ClusterSettings, key: str) -> list[Record]:
    """Return what the topic has of a wake-up, in order.

    Those of ASSIGN lie with their division, all others by their key: so did ASSIGN's before decision 0275.
    """
    count = partition_count(cluster, TOPIC)
    division = re.split("[./]", key.partition("/")[2], maxsplit=1)[0]
    places = sorted({partition_of(text.encode(), count) for text in (key, division)})
    return sorted((one for one in read(cluster, TOPIC, places) if one.key_text == key), key=lambda one: one.at)


def _told(record: Record, timer: TimerArmed | None) -> dict[str, Any]:
    by = record.header("ce_source").removeprefix("leadstream/") or None
    return {"at": record.at, "by": by, "offset": record.offset, "armed": timer}


def _armed_for(timer: TimerArmed, now: datetime) -> str:
    when = f"{timer.due_at:%Y-%m-%d %H:%M:%S} UTC"
    if timer.due_at <= now:
        return f"is overdue since {when}, {spell(now - timer.due_at)} ago: is TIMERS running?"
    return f"wakes at {when}, in {spell(timer.due_at - now)}."


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
    following = (
        f"{pending[0][1].due_at:%Y-%m-%d %H:%M:%S} UTC, {_relative(pending[0][1].due_at - now)}" if pending else "-"
    )
    say(f"{told['pending']} pending, {told['overdue']} overdue; next due: {following}")
    if pending:
        print_table(("kind", "pending"), Counter(key.partition("/")[0] for key, _ in pending).most_common())


def armed(cluster: ClusterSettings) -> list[tuple[str, TimerArmed]]:
    """Return (what wakes, its timer), the next due first."""
    timers: dict[str, TimerArmed] = {}
    for record, timer in _that_can_fire(readable(read(cluster, TOPIC))):
        if timer is None:
            timers.pop(record.key_text, None)
        else:
            timers[record.key_text] = timer
    return sorted(timers.items(), key=lambda pair: (pair[1].due_at, pair[0]))


def _that_can_fire(rows: Iterable[tuple[Record, TimerArmed | None]]) -> Iterator[tuple[Record, TimerArmed | None]]:
    """Yield what TIMERS takes; tell of what it refuses, after which the arming before stands."""
    refused: list[str] = []
    for record, timer in rows:
        if record.key is not None and (timer is None or (reason := why_never(record.key, timer)) is None):
            yield record, timer
        else:
            refused.append(f"{record.place}: {'it has no key' if record.key is None else reason}")
    if refused:
        typer.secho(f"Passed over {len(refused)} that never fire, the first {refused[0]}.", err=True, fg="yellow")


def _relative(time: timedelta) -> str:
    return f"in {spell(time)}" if time >= timedelta() else f"overdue by {spell(-time)}"
