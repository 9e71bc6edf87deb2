"""What holds readers up, restores, and what is behind."""

from tools.dashboards.panel import BUSINESS as B
from tools.dashboards.panel import STAGES, Panel
from tools.dashboards.panel import STREAMS as S

PANELS: tuple[Panel, ...] = (
    Panel(
        "Behind the high watermark",
        "Records after the last stable offset.",
        "none",
        {f"max by (stage) ({S}stable_distance_records)": STAGES},
    ),
    Panel(
        "Stable offset stands still",
        "Above 25 s: HungTransaction.",
        "s",
        {f"max by (stage) ({S}stable_stuck_seconds)": STAGES},
    ),
    Panel("Lag by topic", "Records.", "none", {f"sum by (topic) ({S}lag_records)": "{{topic}}"}),
    Panel(
        "Commit",
        "Mean time of a transaction.",
        "s",
        {
            f'sum by (stage) (rate({S}step_seconds_sum{{step="commit"}}[1m])) / (sum by (stage) (rate({S}step_seconds_count{{step="commit"}}[1m])) > 0)': STAGES
        },
    ),
    Panel(
        "Held partitions",
        "At a newer schema.",
        "none",
        {f"sum by (stage, topic) ({S}held_partitions)": "{{stage}} {{topic}}"},
    ),
    Panel(
        "Activity lag",
        "Age of the oldest activity not handled.",
        "s",
        {f"max({S}activity_lag_seconds)": "activity"},
    ),
    Panel(
        "Restored",
        "Changelog records read, an hour.",
        "none",
        {f"sum by (stage) (increase({S}restored_records_total[1h]))": STAGES},
    ),
    Panel("Stores rebuilt", "An hour.", "none", {f"sum by (stage) (increase({S}wiped_stores_total[1h]))": STAGES}),
    Panel(
        "Acknowledged to the intake",
        "Records a second.",
        "none",
        {"sum by (topic) (rate(leadstream_intake_records_total[5m]))": "{{topic}}"},
    ),
    Panel("Timers refused", "An hour.", "none", {f"sum(increase({S}timers_rejected_total[1h]))": "unreadable"}),
    Panel(
        "The meter",
        "Leads remembered, records passed over.",
        "none",
        {f"{B}remembered_leads": "remembered", f"{B}unreadable_total": "unreadable"},
    ),
)
