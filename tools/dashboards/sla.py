"""Promises kept and missed, moves, what became of leads."""

from tools.dashboards.panel import ASSIGN as A
from tools.dashboards.panel import BUSINESS as B
from tools.dashboards.panel import Panel, quantile

PANELS: tuple[Panel, ...] = (
    Panel(
        "Compliance this week",
        "Promised 85, 80, 75%; from 20 leads on.",
        "percentunit",
        {"tier:leadstream_sla_compliance:ratio1w": "{{tier}}", "leadstream_sla_compliance:ratio1w": "all"},
    ),
    Panel(
        "Outcomes an hour",
        "amended: a contact in time that was learnt late.",
        "none",
        {f"sum by (tier, outcome) (increase({B}sla_total[1h]))": "{{tier}} {{outcome}}"},
    ),
    Panel("Breaches by cause", "An hour.", "none", {f"sum by (cause) (increase({B}breaches_total[1h]))": "{{cause}}"}),
    Panel(
        "Speed to contact",
        "First action of the assigned rep, p50.",
        "s",
        {quantile(0.5, B + "speed_to_contact_seconds", "tier", window="1h"): "{{tier}}"},
    ),
    Panel(
        "First response",
        "By anyone, p50.",
        "s",
        {quantile(0.5, B + "first_response_seconds", "tier", window="1h"): "{{tier}}"},
    ),
    Panel(
        "Moves",
        "An hour, by what made them.",
        "none",
        {f"sum by (move) (increase({B}moves_total[1h]))": "{{move}}"},
    ),
    Panel(
        "Reassigned by hand, by the ladder",
        "Within a week; 3 and 5%.",
        "percentunit",
        {
            "leadstream_manual_reassignment:ratio1w": "by hand",
            "leadstream_sla_reassignment:ratio1w": "by the ladder",
        },
    ),
    Panel("First owner stayed", "A week; above 90%.", "percentunit", {"leadstream_first_try_accuracy:ratio1w": "kept"}),
    Panel(
        "Coverage and fallback",
        "A day; above 99%, below 10%.",
        "percentunit",
        {"leadstream_coverage:ratio1d": "owner in time", "leadstream_fallback:ratio1d": "catch-all"},
    ),
    Panel(
        "Missed by pool",
        "An hour.",
        "none",
        {f'sum by (of) (increase({B}outcomes_total{{outcome="missed", by="pool"}}[1h]))': "{{of}}"},
    ),
    Panel(
        "Routed by source",
        "An hour.",
        "none",
        {f'sum by (of) (increase({B}outcomes_total{{outcome="routed", by="source"}}[1h]))': "{{of}}"},
    ),
    Panel(
        "Routed by rule",
        "An hour.",
        "none",
        {f'sum by (of) (increase({B}outcomes_total{{outcome="routed", by="rule"}}[1h]))': "{{of}}"},
    ),
    Panel(
        "Conversion by path",
        "Meetings, opportunities, won over routed, 30 days.",
        "percentunit",
        {
            f'sum by (outcome, of) (increase({B}outcomes_total{{outcome=~"meeting|opportunity|won", by="path"}}[30d])) / on (of) group_left () sum by (of) (increase({B}outcomes_total{{outcome="routed", by="path"}}[30d]))': "{{of}} {{outcome}}"
        },
    ),
    Panel(
        "Conversion by rep",
        "Won over routed, 30 days.",
        "percentunit",
        {"rep:leadstream_conversion:ratio30d": "{{of}}"},
    ),
    Panel(
        "Never followed up",
        "Of ended leads, 30 days; below 1%.",
        "percentunit",
        {"leadstream_drop_off:ratio30d": "never contacted"},
    ),
    Panel(
        "Revenue per lead",
        "30 days.",
        "none",
        {f"sum(increase({B}revenue_total[30d])) / sum(increase({B}routed_total[30d]))": "per lead"},
    ),
    Panel("Policy", "What each division decides by.", "none", {f"{A}policy_info": "{{division}} {{policy}}"}),
    Panel("Rated by reps", "A day.", "none", {f"increase({B}fit_ratings_total[1d])": "ratings"}),
)
