"""Turns, load and who is there, by pool."""

from tools.dashboards.panel import ASSIGN as A
from tools.dashboards.panel import Panel

PANELS: tuple[Panel, ...] = (
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
    Panel("Members", "All, present, free.", "none", {f"sum by (pool, state) ({A}pool_members)": "{{pool}} {{state}}"}),
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
)
