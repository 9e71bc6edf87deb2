"""docs/metrics.md from the source. `python -m tools.metrics_page` writes it; a test holds the committed one to it."""

from collections.abc import Iterator

from tools.catalogue import ROOT, Metric, metrics

PAGE = ROOT / "docs" / "metrics.md"
_HEAD = """# Metrics

<!-- made by `python -m tools.metrics_page`; don't edit -->

Every process serves `/metrics` ([settings](operating.md)), in Prometheus' text format or, where asked for, OpenMetrics
with exemplars: the trace id of a lead behind a bucket. Label sets are closed or have a bound; no label holds a lead, a
person or a domain. Marked test leads touch no business metric.

What each metric means, and what to do, is the comment above it in the source. Rules and alerts over them are in
`deploy/prometheus`, one [page an alert](runbooks/README.md), dashboards in `deploy/grafana`.
"""
_PARTS = {
    "leadstream_streams_": "## Stages\n\nOf every slot: what it reads, how long each step takes, what it holds up.",
    "leadstream_assign_": "## Divisions\n\nWhat ASSIGN knows exactly, set every five seconds.",
    "leadstream_business_": "## Business\n\nWhat follows from events, counted by the meter (`leadstream run meter`).",
    "leadstream_enrichment_": "## Enrichment",
    "leadstream_notifiers_": "## Notifications",
    "leadstream_intake_": "## Intake",
    "leadstream_board_": "## Board",
}


def page() -> str:
    """Return the page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    everything = metrics()
    for prefix, title in _PARTS.items():
        yield f"{title}\n"
        yield "| metric | kind | labels | meaning, and what to do |"
        yield "|---|---|---|---|"
        yield from (_row(metric) for metric in everything if metric.name.startswith(prefix))
        yield ""
    known = tuple(_PARTS)
    assert all(metric.name.startswith(known) for metric in everything), "a metric has no part of the page"


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
    return f"| `{metric.name}` | {metric.kind.lower()} | {labels} | {metric.meaning.replace('|', '/')} |"


if __name__ == "__main__":
    PAGE.write_text(page())
