"""The Grafana dashboards as code. `python -m tools.dashboards` writes deploy/grafana/*.json; a test holds them current.

A panel is one row of a table: title, what it tells, unit, queries with their legends. Queries use recorded series where
an alert does, so that a page and its graph agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, GridPos

from tools.catalogue import ROOT

FOLDER = ROOT / "deploy" / "grafana"
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
WIDE, HIGH = 8, 8
STAT_HIGH = 4


@dataclass(frozen=True, slots=True)
class Panel:
    """queries: PromQL -> legend. unit: Grafana's name. is_stat: a number (the worst one) rather than a graph."""

    title: str
    says: str
    unit: str
    queries: Mapping[str, str]
    is_stat: bool = False


def _p(quantile: float, metric: str, by: str = "", of: str = "", window: str = "5m") -> str:
    labels = ", ".join(("le", by)) if by else "le"
    return f"histogram_quantile({quantile}, sum by ({labels}) (rate({metric}_bucket{of}[{window}])))"


def _number(title: str, says: str, unit: str, query: str, legend: str = "") -> Panel:
    return Panel(title, says, unit, {query: legend or title}, is_stat=True)


B, S, A, E, N = (f"leadstream_{part}_" for part in ("business", "streams", "assign", "enrichment", "notifiers"))
_STAGES = "{{stage}}"

DASHBOARDS: Mapping[str, Sequence[Panel]] = {
    "overview": (
        _number(
            "Stages serving", "Below the number of stages: StageDown.", "none", f"count(max by (stage) ({S}ready) == 1)"
        ),
        _number("Worst lag", "Above a minute: StageBehind.", "s", "max(stage:leadstream_lag_seconds:max)"),
        _number(
            "Leads a minute",
            "0 where there should be some: NoLeads.",
            "none",
            f'60 * sum(rate({S}records_total{{stage="enrich"}}[5m]))',
        ),
        _number(
            "Nobody accountable",
            "Leads without owner, queue or team lead: Unassigned.",
            "none",
            f"sum({A}unassigned_leads)",
        ),
        _number("Held for room", "HeldTooLong, PoolFull.", "none", f"sum({A}held_leads)"),
        _number("Alerts firing", "Every one has a runbook.", "none", 'sum(ALERTS{alertstate="firing"}) or vector(0)'),
        Panel(
            "Submitted to decided",
            "From submission to an owner.",
            "s",
            {
                _p(q, B + "step_seconds", of='{step="submitted_decided"}'): f"p{round(q * 100)}"
                for q in (0.5, 0.95, 0.99)
            },
        ),
        Panel(
            "Speed to assign",
            "To the CRM's acknowledgement; promised in 60 s.",
            "s",
            {_p(0.95, B + "speed_to_assign_seconds", "tier", window="15m"): "{{tier}} p95"},
        ),
        Panel(
            "Step clocks", "Where the time of leads goes, p95.", "s", {_p(0.95, B + "step_seconds", "step"): "{{step}}"}
        ),
        Panel(
            "Budgets burnt",
            "Share of bad events of each objective.",
            "percentunit",
            {"slo:leadstream_bad:ratio_rate1h": "{{slo}}"},
        ),
        Panel(
            "Who is overloaded",
            "Load over limit, the ten fullest.",
            "percentunit",
            {f"topk(10, {A}rep_load_points / {A}rep_limit_points)": "{{rep}}"},
        ),
        Panel(
            "Red flags",
            "Raised an hour, by flag.",
            "none",
            {f"sum by (flag) (increase({B}flags_total[1h]))": "{{flag}}"},
        ),
        Panel(
            "Intake",
            "Requests a second, by status.",
            "reqps",
            {"sum by (status) (rate(leadstream_intake_requests_total[5m]))": "{{status}}"},
        ),
        Panel(
            "Intake acknowledges",
            "Until Kafka has the record.",
            "s",
            {_p(0.99, "leadstream_intake_acknowledge_seconds"): "p99"},
        ),
    ),
    "stage": (
        Panel("Records a second", "Committed input.", "none", {"stage:leadstream_records:rate1m": _STAGES}),
        Panel("Lag in seconds", "Age of the last record handled.", "s", {"stage:leadstream_lag_seconds:max": _STAGES}),
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
            {_p(0.99, S + "step_seconds", "stage", '{step="commit"}'): _STAGES},
        ),
        Panel("Batch size", "p95; at the limit: add slots.", "none", {_p(0.95, S + "batch_records", "stage"): _STAGES}),
        Panel(
            "Transactions",
            "Committed a second.",
            "none",
            {f"sum by (stage) (rate({S}transactions_total[1m]))": _STAGES},
        ),
        Panel(
            "Taken back",
            "A record was too large.",
            "none",
            {f"sum by (stage) (increase({S}aborts_total[5m]))": _STAGES},
        ),
        Panel(
            "Dead letters",
            "Set aside in 5 minutes.",
            "none",
            {f"sum by (stage) (increase({S}dead_letters_total[5m]))": _STAGES},
        ),
        Panel("State", "Entries, estimated.", "none", {f"sum by (stage) ({S}state_entries)": _STAGES}),
        Panel("Restore", "The last one.", "s", {f"max by (stage) ({S}restore_seconds)": _STAGES}),
        Panel(
            "Starts", "In an hour.", "none", {f"sum by (stage) (changes({S}started_timestamp_seconds[1h]))": _STAGES}
        ),
        Panel(
            "Clock",
            "Wall time minus the clock in use.",
            "s",
            {f"max by (stage) (abs({S}clock_drift_seconds))": _STAGES},
        ),
        Panel("Timers", "Lateness, p99.", "s", {_p(0.99, S + "timer_lateness_seconds"): "p99"}),
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
    ),
    "sla": (
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
        Panel(
            "Breaches by cause", "An hour.", "none", {f"sum by (cause) (increase({B}breaches_total[1h]))": "{{cause}}"}
        ),
        Panel(
            "Speed to contact",
            "First action of the assigned rep, p50.",
            "s",
            {_p(0.5, B + "speed_to_contact_seconds", "tier", window="1h"): "{{tier}}"},
        ),
        Panel(
            "First response",
            "By anyone, p50.",
            "s",
            {_p(0.5, B + "first_response_seconds", "tier", window="1h"): "{{tier}}"},
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
        Panel(
            "First owner stayed", "A week; above 90%.", "percentunit", {"leadstream_first_try_accuracy:ratio1w": "kept"}
        ),
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
    ),
    "fairness": (
        Panel(
            "Deviation",
            "Turns received minus entitled; below 1 by rotation alone.",
            "none",
            {f"{A}fairness_deviation_turns": "{{pool}} {{rep}} ({{mode}})"},
        ),
        Panel(
            "Deviation by tier, a day",
            "The furthest of a pool.",
            "none",
            {"pool_tier:leadstream_fairness_deviation:max": "{{pool}} {{tier}}"},
        ),
        Panel(
            "Turns",
            "A day, received.",
            "none",
            {f"sum by (pool, rep) (increase({A}turns_total[1d]))": "{{pool}} {{rep}}"},
        ),
        Panel("Load over limit", "By rep.", "percentunit", {f"{A}rep_load_points / {A}rep_limit_points": "{{rep}}"}),
        Panel(
            "Spread",
            "Fullest minus idlest of a pool; below 30 points.",
            "percentunit",
            {f"{A}utilisation_spread_ratio": "{{pool}}"},
        ),
        Panel(
            "Members", "All, present, free.", "none", {f"sum by (pool, state) ({A}pool_members)": "{{pool}} {{state}}"}
        ),
        Panel(
            "Absent",
            "Reps on the roster who are not there.",
            "none",
            {f"count({A}rep_available == 0) or vector(0)": "absent"},
        ),
        Panel("Held", "Leads waiting for room.", "none", {f"sum by (pool, tier) ({A}held_leads)": "{{pool}} {{tier}}"}),
        Panel(
            "Held, oldest",
            "T2 15 min, T3 1 h.",
            "s",
            {f"max by (pool, tier) ({A}held_age_seconds)": "{{pool}} {{tier}}"},
        ),
        Panel("Unassigned, oldest", "15 min.", "s", {f"max by (division) ({A}unassigned_age_seconds)": "{{division}}"}),
    ),
    "enrichment": (
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
            {_p(0.99, E + "lookup_seconds", "provider"): "{{provider}}"},
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
    ),
    "notifications": (
        Panel(
            "Owners told",
            "An hour, by outcome.",
            "none",
            {f"sum by (tier, outcome) (increase({B}notifications_total[1h]))": "{{tier}} {{outcome}}"},
        ),
        Panel("Told within", "p95; promised in 30 s.", "s", {_p(0.95, N + "acknowledge_seconds", "tier"): "{{tier}}"}),
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
        Panel(
            "Under way", "Without an answer yet.", "none", {f"sum by (channel) ({N}pending_deliveries)": "{{channel}}"}
        ),
        Panel("Decided to CRM", "p95.", "s", {_p(0.95, B + "step_seconds", of='{step="decided_crm"}'): "p95"}),
        Panel(
            "Decided to delivered", "p95.", "s", {_p(0.95, B + "step_seconds", of='{step="decided_delivered"}'): "p95"}
        ),
    ),
    "kafka": (
        Panel(
            "Behind the high watermark",
            "Records after the last stable offset.",
            "none",
            {f"max by (stage) ({S}stable_distance_records)": _STAGES},
        ),
        Panel(
            "Stable offset stands still",
            "Above 15 s: HungTransaction.",
            "s",
            {f"max by (stage) ({S}stable_stuck_seconds)": _STAGES},
        ),
        Panel("Lag by topic", "Records.", "none", {f"sum by (topic) ({S}lag_records)": "{{topic}}"}),
        Panel(
            "Commit",
            "Mean time of a transaction.",
            "s",
            {
                f'sum by (stage) (rate({S}step_seconds_sum{{step="commit"}}[1m])) / (sum by (stage) (rate({S}step_seconds_count{{step="commit"}}[1m])) > 0)': _STAGES
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
            {f"sum by (stage) (increase({S}restored_records_total[1h]))": _STAGES},
        ),
        Panel("Stores rebuilt", "An hour.", "none", {f"sum by (stage) (increase({S}wiped_stores_total[1h]))": _STAGES}),
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
    ),
}


def rendered(name: str) -> str:
    """Return the JSON of a dashboard."""
    return JSONEncoder(sort_keys=True, indent=2).encode(_dashboard(name).build()) + "\n"


def _dashboard(name: str) -> dashboard.Dashboard:
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
    for panel in DASHBOARDS[name]:
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


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(rendered(name))
