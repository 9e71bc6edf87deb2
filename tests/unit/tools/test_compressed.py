"""Rules with shortened windows say the same of shorter times."""

import subprocess
from pathlib import Path

import pytest

from tests.observed.compressed import shortened, shortened_query, write_rules
from tests.observed.prometheus import tool


@pytest.mark.parametrize(
    ("duration", "short"),
    [("5m", "25000ms"), ("15s", "1250ms"), ("1h", "300000ms"), ("1w", "300000ms"), ("1d", "42857ms")],
)
def test_a_duration_is_shortened(duration: str, short: str) -> None:
    assert shortened(duration) == short


def test_windows_and_offsets_are_shortened_and_limits_and_names_are_not() -> None:
    query = 'sum(increase(leadstream_x_total{of="5m"}[30m] offset 1w)) > 900 and min_over_time(y:ratio1d[1d:5m]) >= 5'
    assert shortened_query(query) == (
        'sum(increase(leadstream_x_total{of="5m"}[150000ms] offset 300000ms)) > 900'
        " and min_over_time(y:ratio1d[42857ms:25000ms]) >= 5"
    )


def test_promtool_accepts_the_shortened_rules(tmp_path: Path) -> None:
    files = [str(path) for path in write_rules(tmp_path)]
    checked = subprocess.run([tool("promtool"), "check", "rules", *files], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
