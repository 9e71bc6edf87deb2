"""The generated pages and dashboards are what the code says; what they speak of exists."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer.main
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from streams.cli.main import app
from tests.observed.prometheus import RULE_FILES, RULES, tool
from tools.catalogue import ROOT, metrics
from tools.dashboards import DASHBOARDS, FOLDER, rendered
from tools.metrics_page import PAGE, page

RUNBOOKS = ROOT / "docs" / "runbooks"
KNOWN = {series for metric in metrics() for series in metric.series}


def read_rules() -> Iterator[dict[str, Any]]:
    for path in RULE_FILES:
        for group in yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]:
            yield from group["rules"]


RULES_READ = tuple(read_rules())
ALERTS = {rule["alert"]: rule for rule in RULES_READ if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES_READ if "record" in rule}


def unknown_in(expr: str) -> set[str]:
    """The metrics of a query that neither the product serves nor a rule records."""
    bare = re.sub(r'"[^"]*"', "", expr)
    plain = set(re.findall(r"(?<![:\w])leadstream_[a-z0-9_]+(?![:\w])", bare))
    recorded = set(re.findall(r"[a-z_]*:?leadstream_[a-z0-9_]+:[a-z0-9_]+|[a-z_]+:leadstream_[a-z0-9_:]+", bare))
    return (plain - KNOWN) | (recorded - RECORDED)


def test_the_page_of_metrics_is_what_the_source_says() -> None:
    assert PAGE.read_text() == page(), "run python -m tools.metrics_page"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_committed_dashboard_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == rendered(name), "run python -m tools.dashboards"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_reads_back_by_the_sdks_own_types(name: str) -> None:
    data = json.loads((FOLDER / f"{name}.json").read_text())
    read = Dashboard.from_json(data)
    assert read.uid == f"leadstream-{name}"
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in data["panels"]]
    assert len(set(places)) == len(places) == len(DASHBOARDS[name])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in data["panels"])


def test_no_other_dashboard_lies_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(DASHBOARDS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_asks_for_metrics_that_there_are(name: str) -> None:
    unknown = {one for panel in DASHBOARDS[name] for query in panel.queries for one in unknown_in(query)}
    assert unknown == set()


def test_a_misspelt_metric_is_noticed() -> None:
    assert unknown_in("rate(leadstream_streams_recods_total[1m])") == {"leadstream_streams_recods_total"}
    assert unknown_in("tier:leadstream_sla_complience:ratio1w") == {"tier:leadstream_sla_complience:ratio1w"}


def test_rules_ask_for_metrics_that_there_are() -> None:
    assert {one for rule in RULES_READ for one in unknown_in(rule["expr"])} == set()


def test_promtool_accepts_the_rules_and_the_configuration() -> None:
    for args in (["rules", *map(str, RULE_FILES)], ["config", str(RULES / "prometheus.yml")]):
        checked = subprocess.run([tool("promtool"), "check", *args], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_leads_to_its_page_with_cause_check_and_remedy(name: str) -> None:
    assert ALERTS[name]["labels"]["severity"] in ("page", "ticket")
    assert ALERTS[name]["annotations"]["summary"]
    assert ALERTS[name]["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
    said = (RUNBOOKS / f"{name}.md").read_text()
    assert said.startswith(f"# {name}\n")
    assert all(f"**{part}.**" in said for part in ("Cause", "Check", "Remedy"))
    row = f"| [{name}]({name}.md) | {ALERTS[name]['labels']['severity']} |"
    assert row in (RUNBOOKS / "README.md").read_text()


def test_every_runbook_is_an_alerts() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {"README", *ALERTS}


def test_runbooks_name_commands_that_there_are() -> None:
    known = typer.main.get_command(app)
    for path in RUNBOOKS.glob("*.md"):
        for said in re.findall(r"`leadstream ([a-z -]+)", path.read_text()):
            command: click.Command | None = known
            for word in said.split():
                if not isinstance(command, click.Group):
                    break
                command = command.get_command(click.Context(command), word)
                assert command is not None, f"{path.name}: leadstream {said}"
