"""Who was told, by which channel, how soon."""

from tools.dashboards.panel import BUSINESS as B
from tools.dashboards.panel import NOTIFIERS as N
from tools.dashboards.panel import Panel, quantile

PANELS: tuple[Panel, ...] = (
    Panel(
        "Owners told",
        "An hour, by outcome.",
        "none",
        {f"sum by (tier, outcome) (increase({B}notifications_total[1h]))": "{{tier}} {{outcome}}"},
    ),
    Panel(
        "Told within",
        "p95; promised in 30 s.",
        "s",
        {quantile(0.95, N + "acknowledge_seconds", "tier"): "{{tier}}"},
    ),
    Panel(
        "Deliveries",
        "A second.",
        "none",
        {f"sum by (channel, outcome) (rate({N}deliveries_total[5m]))": "{{channel}} {{outcome}}"},
    ),
    Panel(
        "Tries",
        "A second; later: failed, waiting: put off.",
        "none",
        {f"sum by (channel, result) (rate({N}attempts_total[5m]))": "{{channel}} {{result}}"},
    ),
    Panel("Down", "1: the breaker is open.", "none", {f"max by (channel) ({N}breaker_open)": "{{channel}}"}),
    Panel("Under way", "Without an answer yet.", "none", {f"sum by (channel) ({N}pending_deliveries)": "{{channel}}"}),
    Panel("Decided to CRM", "p95.", "s", {quantile(0.95, B + "step_seconds", of='{step="decided_crm"}'): "p95"}),
    Panel(
        "Decided to delivered",
        "p95.",
        "s",
        {quantile(0.95, B + "step_seconds", of='{step="decided_delivered"}'): "p95"},
    ),
)
