import pytest

from streams.cli.output import print_table
from streams.quantity import counted


def test_a_row_is_one_line_where_no_terminal_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    lead, reason = f"lead/main.{'4f0c' * 8}.1", "a reason of many words " * 10
    print_table(("wakes", "reason"), [(lead, reason)])
    _, row = capsys.readouterr().out.rstrip("\n").split("\n")
    assert row.split()[0] == lead
    assert reason.strip() in row


def test_a_value_is_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("what",), [("[red]x[/red]",)])
    assert "[red]x[/red]" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2_000, "2,000 rows")])
def test_one_is_told_in_the_singular(count: int, told: str) -> None:
    assert counted(count, "row") == told


@pytest.mark.parametrize(("count", "told"), [(1, "1 person"), (2, "2 people")])
def test_a_noun_may_have_a_plural_of_its_own(count: int, told: str) -> None:
    assert counted(count, "person", "people") == told
