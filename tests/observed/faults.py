"""Faults as the series they leave in Prometheus, and which alerts follow under the product's rules.

`python -m tests.observed.faults` writes the table of docs/alerts.md; the test holds it to what promtool says. All is
well for seven minutes, then one thing breaks; where an alert waits an hour, eight times as slowly. Shapes are those of
the real metrics; promtool evaluates the real rules.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.observed.prometheus import RULE_FILES, tool

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"
STEP, SLOW_STEP = 15, 120
HEALTHY, BROKEN = 28, 40  # steps: seven minutes, the longest window here and a little, then ten minutes
STAGES = ("enrich", "pending", "track", "score", "assign", "notify", "timers", "meter")
S, B, A, E, N, D = (
    f"leadstream_{part}_" for part in ("streams", "business", "assign", "enrichment", "notifiers", "board")
)


def steady(value: float) -> str:
    return f"{value}x{HEALTHY + BROKEN}"


def growing(by: float) -> str:
    return f"0+{by}x{HEALTHY + BROKEN}"


def then(before: str, after: str) -> str:
    """One shape while all is well, another from the fault on."""
    return f"{before}x{HEALTHY - 1} {after}x{BROKEN}"


def healthy() -> dict[str, str]:
    """Return the series of a day on which all is well."""
    rows: dict[str, str] = {}
    for stage in STAGES:
        labels = f'{{stage="{stage}", instance="{stage}-0"}}'
        rows[f"{S}ready{labels}"] = steady(1)
        rows[f"{S}watermark_lag_seconds{labels}"] = steady(0.1)
        rows[f"{S}started_timestamp_seconds{labels}"] = steady(1_000)
        rows[f"{S}stable_stuck_seconds{labels}"] = steady(0)
        rows[f"{S}clock_drift_seconds{labels}"] = steady(0.01)
        rows[f"{S}dead_letters_total{labels}"] = steady(0)
        rows[f'{S}records_total{{stage="{stage}", topic="leads.raw", instance="{stage}-0"}}'] = growing(30)
    for bound in ("0.1", "1.0", "5.0", "10.0", "+Inf"):
        rows[f'{S}timer_lateness_seconds_bucket{{le="{bound}"}}'] = growing(5)
    rows[f"{S}timer_lateness_seconds_count"] = growing(5)
    for bound in ("1.0", "60.0", "120.0", "+Inf"):
        rows[f'{B}speed_to_assign_seconds_bucket{{tier="T1", entry="other", le="{bound}"}}'] = growing(30)
    rows[f'{B}speed_to_assign_seconds_count{{tier="T1", entry="other"}}'] = growing(30)
    rows[f'{B}routed_total{{tier="T1", in_time="yes", fallback="no"}}'] = growing(30)
    rows[f'{B}routed_total{{tier="T1", in_time="no", fallback="no"}}'] = steady(0)
    for tier in ("T1", "T2"):
        rows[f'{B}notifications_total{{tier="{tier}", outcome="in_time"}}'] = growing(30)
        rows[f'{B}notifications_total{{tier="{tier}", outcome="late"}}'] = steady(0)
    for channel in ("slack", "email"):
        rows[f'{N}breaker_open{{channel="{channel}"}}'] = steady(0)
    rows[f'{N}feed_behind_seconds{{receiver="warehouse"}}'] = steady(0)
    for outcome in ("delivered", "refused", "expired"):
        rows[f'{N}feed_events_total{{receiver="warehouse", outcome="{outcome}"}}'] = growing(
            30 if outcome == "delivered" else 0
        )
    for outcome in ("found", "empty", "down"):
        rows[f'{E}answers_total{{provider="lab", outcome="{outcome}"}}'] = growing(
            {"found": 26, "empty": 4}.get(outcome, 0)
        )
    for field in ("domain", "employees", "industry", "country"):
        rows[f'{E}fields_total{{provider="lab", field="{field}"}}'] = growing(26)
    for state, members in (("all", 5), ("present", 5), ("free", 4)):
        rows[f'{A}pool_members{{division="main", pool="smb", state="{state}"}}'] = steady(members)
    rows[f'{A}fairness_deviation_turns{{division="main", pool="smb", rep="S1", mode="rotation"}}'] = steady(0.4)
    rows[f'{A}unassigned_age_seconds{{division="main"}}'] = steady(0)
    rows["leadstream_intake_acknowledge_seconds_count"] = growing(30)
    rows[f"{D}dead_letter_age_seconds"] = growing(STEP)
    for kind in ("stale account", "ghost user"):
        rows[f'{D}flags{{kind="{kind}"}}'] = steady(0)
    for name in ("behind_seconds", "lag_records", "passed_over_total"):
        rows[f"{D}{name}"] = steady(0)
    return rows


@dataclass(frozen=True, slots=True)
class Fault:
    """What breaks. changed: part of a series' name -> its shape. alert: what must fire, within `seconds`.

    tickets: what may be looked at besides; no other page fires. step: seconds between two samples.
    """

    changed: Mapping[str, str]
    alert: str
    seconds: int
    tickets: frozenset[str] = frozenset()
    step: int = STEP


def _all_of(stage: str, shape: str) -> dict[str, str]:
    return {name: shape for name in healthy() if f'"{stage}"' in name}


FAULTS: Mapping[str, Fault] = {
    "a stage is dead": Fault(_all_of("assign", f"1x{HEALTHY - 1} stale"), "StageDown", 120),
    "a stage lags": Fault({f'{S}watermark_lag_seconds{{stage="score"': then("0.1", "0+15")}, "StageBehind", 180),
    "a provider is down": Fault(
        {
            'provider="lab", outcome="found"': f"0+26x{HEALTHY - 1} {26 * (HEALTHY - 1)}x{BROKEN}",
            'provider="lab", outcome="down"': then("0", "30+30"),
            f"{E}fields_total": f"0+26x{HEALTHY - 1} {26 * (HEALTHY - 1)}x{BROKEN}",
        },
        "ProviderDown",
        480,
        frozenset({"ProviderDown"}),
    ),
    "a channel is down": Fault({'breaker_open{channel="slack"': then("0", "1")}, "ChannelDown", 120),
    "a clock is off": Fault({f'{S}clock_drift_seconds{{stage="score"': then("0.01", "30")}, "ClockOff", 120),
    "a flood of poison": Fault(
        {f'{S}dead_letters_total{{stage="enrich"': then("0", "10+10")},
        "PoisonFlood",
        120,
        frozenset({"DeadLetters"}),
    ),
    "an empty pool": Fault(
        {'state="present"': then("5", "0"), 'state="free"': then("4", "0")}, "PoolEmpty", 360, frozenset({"PoolFull"})
    ),
    "a biased rotation": Fault({f"{A}fairness_deviation_turns": then("0.4", "2.6")}, "RotationBiased", 120),
    "a hung transaction": Fault(
        {
            f'{S}stable_stuck_seconds{{stage="assign"': then("0", "0+15"),
            f'{S}watermark_lag_seconds{{stage="score"': then("0.1", "0+15"),  # its own producer hangs
        },
        "HungTransaction",
        60,
    ),
    "a dead letter waits": Fault(
        {f"{D}dead_letter_age_seconds": then("0", f"{7 * 86_400}+{STEP}")},
        "DeadLettersWaiting",
        60,
        frozenset({"DeadLettersWaiting"}),
    ),
    "owners are told late": Fault(
        {
            'notifications_total{tier="T2", outcome="in_time"': then("0+30", "837+27"),
            'notifications_total{tier="T2", outcome="late"': then("0", "0+3"),
        },
        "BudgetBurnsFast",
        480,
    ),
    "the intake is dead": Fault({"leadstream_intake_": f"0x{HEALTHY - 1} stale"}, "IntakeDown", 120),
    "the board falls behind": Fault(
        {f"{D}behind_seconds": then("0", f"0+{STEP}")}, "BoardBehind", 480, frozenset({"BoardBehind"})
    ),
    "the board is dead": Fault({D: f"0x{HEALTHY - 1} stale"}, "BoardDown", 360, frozenset({"BoardDown"})),
    "the board is older than the stages": Fault(
        {f"{D}passed_over_total": then("0", "1+1")}, "BoardUnreadable", 60, frozenset({"BoardUnreadable"})
    ),
    "a receiver of the feed is down": Fault(
        {f"{N}feed_behind_seconds": then("0", f"0+{SLOW_STEP}")},
        "FeedBehind",
        1_500,
        frozenset({"FeedBehind"}),
        SLOW_STEP,
    ),
    "a receiver of the feed refuses events": Fault(
        {f'{N}feed_events_total{{receiver="warehouse", outcome="refused"': then("0", "1+1")},
        "FeedGivesUp",
        60,
        frozenset({"FeedGivesUp"}),
    ),
    "a named account loses its owner": Fault(
        {f'{D}flags{{kind="stale account"': then("0", "1")},
        "StaleAccount",
        3_720,
        frozenset({"StaleAccount"}),
        SLOW_STEP,
    ),
    "a manager leaves": Fault(
        {f'{D}flags{{kind="ghost user"': then("0", "2")}, "GhostUser", 3_720, frozenset({"GhostUser"}), SLOW_STEP
    ),
}
CHANCE: Mapping[str, Fault] = {
    "four wake-ups of a quiet minute are late": Fault(
        {f'{S}timer_lateness_seconds_bucket{{le="{bound}"': then("0+5", "136+5") for bound in ("0.1", "1.0")}, "", 0
    ),
    "accounts are imported before their owners": Fault(
        {f'{D}flags{{kind="stale account"': f"0x{HEALTHY - 1} 9x{10} 0x{BROKEN - 12}"}, "", 0, step=SLOW_STEP
    ),
    "flags of a board that has not read everything yet": Fault(
        {f'{D}flags{{kind="ghost user"': then("0", "3"), f"{D}behind_seconds": then("0", "900")},
        "",
        0,
        frozenset({"BoardBehind"}),
        SLOW_STEP,
    ),
}
"""What happens by chance, or while lists are imported: nobody is woken, no ticket but these."""
SILENCE = "silence"
WEEK_STEP, WEEK_LOOK = 300, 900  # a sample, and a look at the rules, each so many seconds


def timeline(fault: Fault | None) -> list[tuple[int, frozenset[str], frozenset[str]]]:
    """Return (seconds since the fault, pages, tickets) at each step. Raises AssertionError where promtool objects."""
    rows = healthy()
    for part, shape in (fault.changed if fault else {}).items():
        names = [name for name in rows if part in name]
        assert names, f"no series has {part}"
        rows.update(dict.fromkeys(names, shape))
    # A dead process leaves no series of its own, but what others measured stays.
    step = fault.step if fault else STEP
    start = HEALTHY * step
    return _timeline(rows, step, range(start, start + BROKEN * step, step), start)


def silence() -> list[tuple[int, frozenset[str], frozenset[str]]]:
    """The same for no leads at all: a week, its last hours without any."""
    steps, quiet = 7 * 24 * 12 + 12, 24
    rows = {
        name: re.sub(r"x\d+$", f"x{steps + quiet}", shape)
        for name, shape in healthy().items()
        if f"{S}ready" in name or f"{S}records" in name
    }
    rows[f'{S}records_total{{stage="enrich", topic="leads.raw", instance="enrich-0"}}'] = (
        f"0+30x{steps} {30 * steps}x{quiet - 1}"
    )
    start = steps * WEEK_STEP
    return _timeline(rows, WEEK_STEP, range(start, start + quiet * WEEK_STEP, WEEK_LOOK), start)


def _groups() -> Iterator[str]:
    """Yield the names of the rule groups in the order of the files: recordings first."""
    for path in RULE_FILES:
        yield from (group["name"] for group in yaml.safe_load(path.read_text())["groups"])


def _timeline(
    rows: Mapping[str, str], step: int, times: range, start: int
) -> list[tuple[int, frozenset[str], frozenset[str]]]:
    asked = 'group by (severity, alertname) (ALERTS{alertstate="firing"})'
    file = {
        "rule_files": [str(path) for path in RULE_FILES],
        # What is recorded before what alerts on it: else promtool's own order, by chance, moves an alert by a step.
        "group_eval_order": list(_groups()),
        "evaluation_interval": f"{times.step}s",
        "tests": [
            {
                "interval": f"{step}s",
                "input_series": [{"series": name, "values": shape} for name, shape in rows.items()],
                # Expecting what never is, so that promtool says at each time what there is.
                "promql_expr_test": [
                    {"expr": asked, "eval_time": f"{at}s", "exp_samples": [{"labels": '{at="never"}', "value": at}]}
                    for at in times
                ],
            }
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faults.yml"
        path.write_text(yaml.safe_dump(file))
        ran = subprocess.run(
            [tool("promtool"), "test", "rules", str(path)], capture_output=True, text=True, check=False
        )
    said = ran.stdout + ran.stderr
    found = list(_told(said))
    assert len(found) == len(times), said[:2_000]
    return [(at - start, pages, tickets) for at, (pages, tickets) in zip(times, found, strict=True)]


def _told(said: str) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Read what promtool got at each time, in order."""
    for block in re.split(r"\n\s+expr: ", said)[1:]:
        got = block.partition("got:")[2]
        names = {
            severity: frozenset(
                re.search(r'alertname="(\w+)"', labels)[1]  # type: ignore[index]
                for labels in re.findall(r"\{([^}]*)\}", got)
                if f'severity="{severity}"' in labels
            )
            for severity in ("page", "ticket")
        }
        yield names["page"], names["ticket"]


@dataclass(frozen=True, slots=True)
class Told:
    """What a fault came to. after: seconds until its alert, None: never. pages, tickets: others that fired."""

    after: int | None
    severity: str
    pages: frozenset[str]
    tickets: frozenset[str]


@cache
def told(name: str) -> Told:
    """Return what follows a fault."""
    line = silence() if name == SILENCE else timeline(FAULTS[name])
    alert = "NoLeads" if name == SILENCE else FAULTS[name].alert
    after = next((at for at, pages, tickets in line if alert in pages | tickets), None)
    pages = frozenset().union(*(row[1] for row in line))
    tickets = frozenset().union(*(row[2] for row in line))
    return Told(after, "page" if alert in pages else "ticket", pages - {alert}, tickets - {alert})


def page() -> str:
    """Return docs/alerts.md."""
    rows = []
    for name in (*FAULTS, SILENCE):
        alert = "NoLeads" if name == SILENCE else FAULTS[name].alert
        what = told(name)
        others = ", ".join(f"{one} (page)" for one in sorted(what.pages)) or "none"
        tickets = ", ".join(sorted(what.tickets)) or "none"
        rows.append(
            f"| {name} | [{alert}](runbooks/{alert}.md) | {what.severity} | {what.after} s | {others} | {tickets} |"
        )
    return _HEAD + "\n".join(rows) + "\n"


_HEAD = """# Which alert a fault raises, and when

<!-- made by `python -m tests.observed.faults`; don't edit -->

All is well for seven minutes, then one fault lasts ten minutes (where a ticket waits an hour: an hour, then eighty
minutes; silence: a week, then two hours without a lead). `promtool` evaluates the rules of `deploy/prometheus` every
15 s (every 2 min; every 15 min) over series shaped like those that the fault leaves. *After* is from the fault to the
alert.

| fault | alert | severity | after | other pages | tickets besides |
|---|---|---|---|---|---|
"""


if __name__ == "__main__":
    PAGE.write_text(page())
