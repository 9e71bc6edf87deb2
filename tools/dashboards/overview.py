"""Is it healthy, is it late, who is overloaded?"""

from tools.dashboards.panel import ASSIGN as A
from tools.dashboards.panel import BOARD, Panel, number, quantile
from tools.dashboards.panel import BUSINESS as B
from tools.dashboards.panel import STREAMS as S

PANELS: tuple[Panel, ...] = (
    number(
        "Stages serving", "Below the number of stages: StageDown.", "none", f"count(max by (stage) ({S}ready) == 1)"
    ),
    number("Worst lag", "Above a minute: StageBehind.", "s", "max(stage:leadstream_lag_seconds:max)"),
    number(
        "Leads a minute",
        "0 where there should be some: NoLeads.",
        "none",
        f'60 * sum(rate({S}records_total{{stage="enrich"}}[5m]))',
    ),
    number(
        "Nobody accountable",
        "Leads without owner, queue or team lead: Unassigned.",
        "none",
        f"sum({A}unassigned_leads)",
    ),
    number("Held for room", "HeldTooLong, PoolFull.", "none", f"sum({A}held_leads)"),
    number("Alerts firing", "Every one has a runbook.", "none", 'sum(ALERTS{alertstate="firing"}) or vector(0)'),
    Panel(
        "Submitted to decided",
        "From submission to an owner.",
        "s",
        {
            quantile(q, B + "step_seconds", of='{step="submitted_decided"}'): f"p{round(q * 100)}"
            for q in (0.5, 0.95, 0.99)
        },
    ),
    Panel(
        "Speed to assign",
        "To the CRM's acknowledgement; promised in 60 s.",
        "s",
        {quantile(0.95, B + "speed_to_assign_seconds", "tier", window="15m"): "{{tier}} p95"},
    ),
    Panel(
        "Step clocks",
        "Where the time of leads goes, p95.",
        "s",
        {quantile(0.95, B + "step_seconds", "step"): "{{step}}"},
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
        "Roster, accounts, policy",
        "Red flags that stand, as the board has them: StaleAccount, GhostUser.",
        "none",
        {f"max by (kind) ({BOARD}flags)": "{{kind}}"},
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
        {quantile(0.99, "leadstream_intake_acknowledge_seconds"): "p99"},
    ),
)
