"""What each stage reads, how long it takes, what it holds up."""

from tools.dashboards.panel import BOARD, STAGES, Panel, quantile
from tools.dashboards.panel import STREAMS as S

PANELS: tuple[Panel, ...] = (
    Panel("Records a second", "Committed input.", "none", {"stage:leadstream_records:rate1m": STAGES}),
    Panel("Lag in seconds", "Age of the last record handled.", "s", {"stage:leadstream_lag_seconds:max": STAGES}),
    Panel(
        "Lag in records",
        "Not read yet.",
        "none",
        {f"sum by (stage, topic) ({S}lag_records)": "{{stage}} {{topic}}"},
    ),
    Panel(
        "Steps of a batch",
        "Mean time a step; mostly consume: idle.",
        "s",
        {
            f"sum by (stage, step) (rate({S}step_seconds_sum[1m])) / (sum by (stage, step) (rate({S}step_seconds_count[1m])) > 0)": "{{stage}} {{step}}"
        },
    ),
    Panel(
        "Commit",
        "p99 of Kafka's transaction.",
        "s",
        {quantile(0.99, S + "step_seconds", "stage", '{step="commit"}'): STAGES},
    ),
    Panel(
        "Batch size",
        "p95; at the limit: add slots.",
        "none",
        {quantile(0.95, S + "batch_records", "stage"): STAGES},
    ),
    Panel(
        "Transactions",
        "Committed a second.",
        "none",
        {f"sum by (stage) (rate({S}transactions_total[1m]))": STAGES},
    ),
    Panel(
        "Taken back",
        "A record was too large.",
        "none",
        {f"sum by (stage) (increase({S}aborts_total[5m]))": STAGES},
    ),
    Panel(
        "Dead letters",
        "Set aside in 5 minutes.",
        "none",
        {f"sum by (stage) (increase({S}dead_letters_total[5m]))": STAGES},
    ),
    Panel(
        "Dead letters waiting",
        "Age of the oldest; a week: DeadLettersWaiting.",
        "s",
        {f"max({BOARD}dead_letter_age_seconds)": "oldest"},
    ),
    Panel(
        "Board behind",
        "Age of what it has not taken in; a minute: BoardBehind.",
        "s",
        {f"max by (instance) ({BOARD}behind_seconds)": "{{instance}}"},
    ),
    Panel(
        "Board to read",
        "Records it has not taken in, and pages that are open.",
        "none",
        {
            f"max by (instance) ({BOARD}lag_records)": "{{instance}}",
            f"sum({BOARD}browsers)": "pages open",
            f"sum(increase({BOARD}passed_over_total[5m]))": "passed over in 5 minutes",
        },
    ),
    Panel("State", "Entries, estimated.", "none", {f"sum by (stage) ({S}state_entries)": STAGES}),
    Panel("Restore", "The last one.", "s", {f"max by (stage) ({S}restore_seconds)": STAGES}),
    Panel("Starts", "In an hour.", "none", {f"sum by (stage) (changes({S}started_timestamp_seconds[1h]))": STAGES}),
    Panel(
        "Clock",
        "Wall time minus the clock in use.",
        "s",
        {f"max by (stage) (abs({S}clock_drift_seconds))": STAGES},
    ),
    Panel("Timers", "Lateness, p99.", "s", {quantile(0.99, S + "timer_lateness_seconds"): "p99"}),
    Panel(
        "Wake-ups",
        "Pending, and fired a second.",
        "none",
        {
            f"sum({S}timers_pending)": "pending",
            f"sum by (topic) (rate({S}timers_fired_total[5m]))": "fired to {{topic}}",
        },
    ),
    Panel(
        "Without effect",
        "Events that SCORE set aside as repeats and the like.",
        "none",
        {f"sum by (reason) (rate({S}score_dropped_total[5m]))": "{{reason}}"},
    ),
)
