"""The table of business metrics that the product promises: each row has a metric and a panel, and where it has an alarm
an alert. Red flags too. The rows stand here in our own words."""

from dataclasses import dataclass

import pytest

from tests.unit.tools.test_pages import ALERTS, KNOWN
from tools.dashboards import DASHBOARDS


@dataclass(frozen=True, slots=True)
class Row:
    """metric: a series of ours. panel: dashboard and title. alerts: with the condition they must hold."""

    metric: str
    panel: tuple[str, str]
    alerts: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


B, A, S, E, D = (f"leadstream_{part}_" for part in ("business", "assign", "streams", "enrichment", "board"))
TABLE = {
    "speed to assign, p95 in 60 s": Row(
        B + "speed_to_assign_seconds_bucket", ("overview", "Speed to assign"), ("SpeedToAssignSlow",), ("> 60", "[15m]")
    ),
    "speed to assign by the API in 10 s": Row(
        B + "speed_to_assign_seconds_bucket", ("overview", "Speed to assign"), ("ApiSpeedToAssignSlow",), ("> 10",)
    ),
    "speed to contact of the assigned rep": Row(
        B + "speed_to_contact_seconds_bucket", ("sla", "Speed to contact"), ("SlaComplianceLow",)
    ),
    "first response by anyone": Row(
        B + "first_response_seconds_bucket", ("sla", "First response"), ("SlaComplianceLow",)
    ),
    "SLA compliance by tier": Row(
        B + "sla_total", ("sla", "Compliance this week"), ("SlaComplianceLow",), ("< 0.85", "< 0.80", "< 0.75")
    ),
    "SLA compliance overall": Row(
        B + "sla_total", ("sla", "Compliance this week"), ("SlaComplianceLowOverall",), ("< 0.80",)
    ),
    "first-try accuracy": Row(
        B + "first_owner_lost_total", ("sla", "First owner stayed"), ("FirstTryAccuracyLow",), ("< 0.90",)
    ),
    "moved by hand within 48 h": Row(
        B + "moves_total",
        ("sla", "Reassigned by hand, by the ladder"),
        ("ManualReassignmentWarn", "ManualReassignmentHigh"),
        ("> 0.03", "> 0.10"),
    ),
    "moved by the ladder": Row(
        B + "moves_total", ("sla", "Reassigned by hand, by the ladder"), ("SlaReassignmentHigh",), ("> 0.05",)
    ),
    "account match rate": Row(
        B + "account_matches_total", ("enrichment", "Account match"), ("AccountMatchLow",), ("< 0.85",)
    ),
    "fallback rate": Row(B + "routed_total", ("sla", "Coverage and fallback"), ("FallbackHigh",), ("> 0.10",)),
    "routing coverage": Row(B + "routed_total", ("sla", "Coverage and fallback"), ("CoverageLow",), ("< 0.99",)),
    "unassigned": Row(A + "unassigned_age_seconds", ("fairness", "Unassigned, oldest"), ("Unassigned",), ("> 900",)),
    "held": Row(A + "held_age_seconds", ("fairness", "Held, oldest"), ("HeldTooLong",), ("> 900", "> 3600")),
    "enrichment coverage": Row(
        E + "fields_total",
        ("enrichment", "Coverage"),
        ("EnrichmentCoverageLow", "EnrichmentDropped"),
        ("< 0.80", "- 0.10"),
    ),
    "primary empty": Row(E + "answers_total", ("enrichment", "Empty"), ("PrimaryEmptyHigh",), ("> 0.20",)),
    "notification delivery": Row(
        B + "notifications_total", ("notifications", "Owners told"), ("HotLeadNotTold",), ('tier="T1"', "> 0")
    ),
    "timer lateness": Row(S + "timer_lateness_seconds_bucket", ("stage", "Timers"), ("TimersLate",), ("> 5",)),
    "fairness by rotation": Row(
        A + "fairness_deviation_turns", ("fairness", "Deviation"), ("RotationBiased",), (">= 2",)
    ),
    "fairness with a senior lane": Row(
        A + "fairness_deviation_turns", ("fairness", "Deviation"), ("LaneBiased",), (">= 5", "[1d")
    ),
    "fairness by tier": Row(A + "entitled_turns_total", ("fairness", "Deviation by tier, a day")),
    "utilisation": Row(A + "rep_load_points", ("fairness", "Load over limit")),
    "utilisation spread": Row(
        A + "utilisation_spread_ratio", ("fairness", "Spread"), ("UtilisationSpread",), ("> 0.30",)
    ),
    "conversions by path": Row(B + "outcomes_total", ("sla", "Conversion by path")),
    "a rep under a third of the best": Row(
        B + "outcomes_total", ("sla", "Conversion by rep"), ("ConversionLow",), ("/ 3",)
    ),
    "drop-off": Row(B + "closed_total", ("sla", "Never followed up"), ("DropOff",), ("> 0.01",)),
    "forms abandoned by step": Row(E + "form_steps_total", ("enrichment", "Form steps")),
    "revenue per lead": Row(B + "revenue_total", ("sla", "Revenue per lead")),
    "running cost": Row(E + "cost_total", ("enrichment", "Cost")),
    "step clocks": Row(
        B + "step_seconds_bucket", ("overview", "Step clocks"), ("StepOverBudget",), ("> 6", "> 2", "> 30")
    ),
    "breaches by cause": Row(B + "breaches_total", ("sla", "Breaches by cause")),
    "flag: no owner, inactive owner, breach untold, moved twice": Row(
        B + "flags_total", ("overview", "Red flags"), ("RedFlag",), ("> 0",)
    ),
    "flag: full beside idle": Row(
        A + "utilisation_spread_ratio", ("fairness", "Spread"), ("UtilisationSpread",), ("> 0.30",)
    ),
    "flag: rule unmatched for 30 days": Row(A + "rule_info", ("sla", "Routed by rule"), ("RuleUnmatched",), ("[30d]",)),
    "flag: rule with over half of its leads moved": Row(
        B + "outcomes_total", ("sla", "Routed by rule"), ("RuleReassigned",), ("> 0.5",)
    ),
    "flag: empty pool": Row(A + "pool_members", ("fairness", "Members"), ("PoolEmpty",), ("== 0",)),
    "flag: stale named account": Row(
        D + "flags", ("overview", "Roster, accounts, policy"), ("StaleAccount",), ('"stale account"', "> 0")
    ),
    "flag: ghost user": Row(
        D + "flags", ("overview", "Roster, accounts, policy"), ("GhostUser",), ('"ghost user"', "> 0")
    ),
    "dead letters waiting": Row(
        D + "dead_letter_age_seconds", ("stage", "Dead letters waiting"), ("DeadLettersWaiting",), ("> 7 * 86400",)
    ),
    "the board behind": Row(
        D + "behind_seconds", ("stage", "Board behind"), ("BoardBehind", "BoardDown"), ("> 60", "count(")
    ),
    "the board to read": Row(D + "lag_records", ("stage", "Board to read")),
    "records the board passed over": Row(
        D + "passed_over_total", ("stage", "Board to read"), ("BoardUnreadable",), ("> 0",)
    ),
    "flag: coverage drop": Row(
        E + "fields_total", ("enrichment", "Fill by field"), ("EnrichmentDropped",), ("- 0.10",)
    ),
    "no leads when there should be some": Row(
        S + "records_total", ("overview", "Leads a minute"), ("NoLeads",), ("== 0", "offset 1w")
    ),
}


@pytest.mark.parametrize("row", TABLE)
def test_each_row_has_a_metric_a_panel_and_its_alarm(row: str) -> None:
    wanted = TABLE[row]
    assert wanted.metric in KNOWN
    dashboard, title = wanted.panel
    assert title in [panel.title for panel in DASHBOARDS[dashboard]]
    said = " ".join(ALERTS[name]["expr"] for name in wanted.alerts)
    for limit in wanted.limits:
        assert limit in said, f"{wanted.alerts} say nothing of {limit}"
    if wanted.limits:
        assert wanted.alerts
