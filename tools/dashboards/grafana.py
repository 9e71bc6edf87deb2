"""From panels to the JSON that Grafana reads, by Grafana's own SDK."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, GridPos

from tools.dashboards.panel import Panel

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
WIDE, HIGH = 8, 8
STAT_HIGH = 4


def rendered(name: str, panels: Sequence[Panel]) -> str:
    """Return the JSON of a dashboard."""
    return JSONEncoder(sort_keys=True, indent=2).encode(_dashboard(name, panels).build()) + "\n"


def _dashboard(name: str, panels: Sequence[Panel]) -> dashboard.Dashboard:
    made = (
        dashboard.Dashboard(f"leadstream: {name}")
        .uid(f"leadstream-{name}")
        .tags(["leadstream"])
        .timezone("browser")
        .refresh("15s")
        .time("now-1h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(dashboard.DashboardLink("leadstream").type("dashboards").tags(["leadstream"]).as_dropdown(True))
    )
    left, top, row_high = 0, 0, 0
    for panel in panels:
        high = STAT_HIGH if panel.is_stat else HIGH
        wide = WIDE // 2 if panel.is_stat else WIDE
        if left + wide > 24:
            left, top = 0, top + row_high
        row_high = high
        made = made.with_panel(_panel(panel, GridPos(h=high, w=wide, x=left, y=top)))
        left += wide
    return made


def _panel(panel: Panel, place: GridPos) -> stat.Panel | timeseries.Panel:
    if panel.is_stat:
        number = stat.Panel().title(panel.title).description(panel.says).unit(panel.unit)
        number = number.datasource(SOURCE).grid_pos(place)
        for target in _targets(panel):
            number = number.with_target(target)
        return number
    graph = timeseries.Panel().title(panel.title).description(panel.says).unit(panel.unit)
    graph = graph.datasource(SOURCE).grid_pos(place)
    for target in _targets(panel):
        graph = graph.with_target(target)
    return graph


def _targets(panel: Panel) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(chr(ord("A") + place))
        for place, (expr, legend) in enumerate(panel.queries.items())
    ]
