"""What is wrong with a file, as whoever wrote it reads it: where, what, what would be right, the worst first."""

import pytest

from routing.finding import Finding, Severity, Where, in_order

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Where(3, 7, "rules[0].when"), "line 3, column 7, rules[0].when"),
        (Where(3, 7), "line 3, column 7"),
        (Where(path="roster.M1.manager"), "roster.M1.manager"),
        (Where(), "the file"),
    ],
)
def test_a_place_is_told_by_line_and_path_as_far_as_they_are_known(where: Where, said: str) -> None:
    assert str(where) == said
    assert str(Finding(ERROR, "code", where, "it is wrong.", "Mend it.")) == f"error at {said}: it is wrong. Mend it."
    assert str(Finding(WARNING, "code", where, "it is odd.")) == f"warning at {said}: it is odd."


def test_findings_come_once_each_errors_first_then_by_their_place() -> None:
    late, early = Where(9, 1, "a"), Where(2, 1, "z")
    rows = [
        Finding(WARNING, "a", early, "odd"),
        Finding(ERROR, "b", late, "wrong"),
        Finding(ERROR, "b", Where(path="roster"), "wrong"),
        Finding(ERROR, "b", early, "wrong"),
        Finding(WARNING, "a", early, "odd"),
    ]
    assert in_order(rows) == (rows[2], rows[3], rows[1], rows[0])
