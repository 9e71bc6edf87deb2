"""What providers answer, fill and cost; accounts and forms."""

from tools.dashboards.panel import BUSINESS as B
from tools.dashboards.panel import ENRICHMENT as E
from tools.dashboards.panel import Panel, quantile

PANELS: tuple[Panel, ...] = (
    Panel(
        "Answers",
        "A second, by outcome.",
        "none",
        {f"sum by (provider, outcome) (rate({E}answers_total[5m]))": "{{provider}} {{outcome}}"},
    ),
    Panel(
        "Failing",
        "Share that failed.",
        "percentunit",
        {
            f'sum by (provider) (rate({E}answers_total{{outcome=~"down|wrong|breaker"}}[5m])) / (sum by (provider) (rate({E}answers_total[5m])) > 0)': "{{provider}}"
        },
    ),
    Panel(
        "Coverage",
        "Of the four fields, a day; above 80%.",
        "percentunit",
        {"provider:leadstream_enrichment_coverage:ratio1d": "{{provider}}"},
    ),
    Panel(
        "Fill by field",
        "A day.",
        "percentunit",
        {"provider_field:leadstream_enrichment_fill:ratio1d": "{{provider}} {{field}}"},
    ),
    Panel(
        "Empty",
        "A day; 10 to 20% is usual.",
        "percentunit",
        {"provider:leadstream_enrichment_empty:ratio1d": "{{provider}}"},
    ),
    Panel(
        "Leads with the field",
        "Whoever said it, an hour.",
        "percentunit",
        {
            f"sum by (field) (increase({B}enriched_fields_total[1h])) / on () group_left () sum(increase({B}enriched_total[1h]))": "{{field}}"
        },
    ),
    Panel(
        "Look-up",
        "p99, waits and the retry included.",
        "s",
        {quantile(0.99, E + "lookup_seconds", "provider"): "{{provider}}"},
    ),
    Panel("Calls", "A second.", "none", {f"sum by (provider) (rate({E}calls_total[5m]))": "{{provider}}"}),
    Panel(
        "Cost",
        "An hour, by the org file's prices.",
        "none",
        {f"sum by (provider) (increase({E}cost_total[1h]))": "{{provider}}"},
    ),
    Panel("Account match", "A week; above 85%.", "percentunit", {"leadstream_account_match:ratio1w": "recognised"}),
    Panel(
        "Account matches",
        "An hour, by how.",
        "none",
        {f"sum by (match) (increase({B}account_matches_total[1h]))": "{{match}}"},
    ),
    Panel(
        "Form steps",
        "A day; where people leave.",
        "none",
        {f"sum by (form, step) (increase({E}form_steps_total[1d]))": "{{form}} {{step}}"},
    ),
)
