"""The Grafana dashboards as code. `python -m tools.dashboards` writes deploy/grafana/*.json; a test holds them current."""

from collections.abc import Mapping, Sequence

from tools.catalogue import ROOT
from tools.dashboards import enrichment, fairness, grafana, kafka, notifications, overview, sla, stage
from tools.dashboards.panel import Panel

FOLDER = ROOT / "deploy" / "grafana"
DASHBOARDS: Mapping[str, Sequence[Panel]] = {
    "overview": overview.PANELS,
    "stage": stage.PANELS,
    "sla": sla.PANELS,
    "fairness": fairness.PANELS,
    "enrichment": enrichment.PANELS,
    "notifications": notifications.PANELS,
    "kafka": kafka.PANELS,
}


def rendered(name: str) -> str:
    """Return the JSON of a dashboard."""
    return grafana.rendered(name, DASHBOARDS[name])
