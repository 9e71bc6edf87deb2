"""One panel: a row of a table. Queries use recorded series where an alert does, so that a page and its graph agree."""

from collections.abc import Mapping
from dataclasses import dataclass

BUSINESS, STREAMS, ASSIGN, ENRICHMENT, NOTIFIERS, BOARD = (
    f"leadstream_{part}_" for part in ("business", "streams", "assign", "enrichment", "notifiers", "board")
)
STAGES = "{{stage}}"


@dataclass(frozen=True, slots=True)
class Panel:
    """queries: PromQL -> legend. unit: Grafana's name. is_stat: a number (the worst one) rather than a graph."""

    title: str
    says: str
    unit: str
    queries: Mapping[str, str]
    is_stat: bool = False


def quantile(share: float, metric: str, by: str = "", of: str = "", window: str = "5m") -> str:
    """Return the query of a histogram's quantile. by: one more label. of: a selector, braces and all."""
    labels = ", ".join(("le", by)) if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{of}[{window}])))"


def number(title: str, says: str, unit: str, query: str, legend: str = "") -> Panel:
    """Return a panel that shows one number."""
    return Panel(title, says, unit, {query: legend or title}, is_stat=True)
