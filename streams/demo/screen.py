"""What the demo shows: the live table, and the summary at its end."""

import statistics
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.demo.promise import Promise
from streams.demo.watched import Line, Watched

_TIER_STYLE = {"T1": "bold red", "T2": "yellow", "T3": "green"}
_ROWS = 16


def live(watched: Watched, kept: Sequence[Promise], rows: int = _ROWS) -> RenderableType:
    """Return the live view: the last decisions, and what is still to come."""
    open_ones = [one.what for one in kept if not one.is_kept]
    state = Text(
        f"{len(watched.by_event)} leads assigned, {len(watched.delivered)} notified, {watched.contacted} called. "
    )
    state.append(f"Still to come: {open_ones[0]}" if open_ones else "All shown.", style="dim")
    return Group(decisions(watched.lines[-rows:]), state)


def decisions(lines: Sequence[Line]) -> Table:
    """Return a table of decisions, the last one at the bottom."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for column, ratio in (("lead", 3), ("company", 4), ("tier", None), ("rule", 4), ("rep", 3), ("", 5)):
        table.add_column(column, no_wrap=True, overflow="ellipsis", ratio=ratio)
    table.add_column("to assign", justify="right", no_wrap=True)
    for line in lines:
        tier = Text(line.tier, style=_TIER_STYLE.get(line.tier, ""))
        texts = [Text(text) for text in (line.who, line.company)]
        rest = [Text(line.rule), Text(line.owner), Text(line.what, style="bold cyan")]
        table.add_row(*texts, tier, *rest, Text(_duration(line.seconds)))
    return table


def summary(
    watched: Watched, kept: Sequence[Promise], counts: Mapping[str, int], elapsed_seconds: float
) -> RenderableType:
    """Return the closing tables. counts: topic -> records in it, read from Kafka."""
    shown = Table(title="What happened", title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in ("", "what", "seen"):
        shown.add_column(column)
    for one in kept:
        mark = Text("yes", style="green") if one.is_kept else Text("NO", style="bold red")
        shown.add_row(mark, Text(one.what), Text(one.found))
    topics = Table(title="Records in the topics", title_justify="left", box=None, header_style="bold", pad_edge=False)
    topics.add_column("topic")
    topics.add_column("records", justify="right")
    for name, count in counts.items():
        topics.add_row(name, str(count))
    return Group("", shown, "", topics, "", Text(_speed(watched, elapsed_seconds)))


def _speed(watched: Watched, elapsed_seconds: float) -> str:
    if len(watched.delays) < 2:
        return f"Ran {elapsed_seconds:.0f} s."
    half, most = statistics.median(watched.delays), statistics.quantiles(watched.delays, n=100)[-1]
    return (
        f"Time to assign: median {_duration(half)}, 99% within {_duration(most)}. The demo ran {elapsed_seconds:.0f} s."
    )


def _duration(seconds: float) -> str:
    return f"{seconds * 1_000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
