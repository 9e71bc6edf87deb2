"""Whatever people do to a policy file, they get findings and never a traceback."""

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.finding import Finding
from routing.lint import lint_text
from tests.unit.routing.policies import text_of

LINES = text_of("default").split("\n")
SNIPPETS = (
    "null",
    "[]",
    "{}",
    '""',
    "-1",
    "true",
    "[a, b]",
    "{a: b}",
    "9" * 20,
    ".nan",
    "1e400",
    "\t",
    "*a",
    "!!x",
    "|",
)
EDIT = st.tuples(
    st.sampled_from(["value", "drop", "swap", "insert", "unquote"]),
    st.integers(0, len(LINES) - 1),
    st.integers(0, len(LINES) - 1),
    st.sampled_from(SNIPPETS + tuple("\"'{}[]:#&*!|>%@`")),
)


def edited(edit: tuple[str, int, int, str], lines: list[str]) -> list[str]:
    kind, at, other, snippet = edit
    at, other = at % len(lines), other % len(lines)
    line = lines[at]
    if kind == "drop":
        return lines[:at] + lines[at + 1 :]
    if kind == "swap":
        swapped = list(lines)
        swapped[at], swapped[other] = lines[other], line
        return swapped
    changed = {
        "value": f"{line.split(':')[0]}: {snippet}",
        "insert": line[: other % (len(line) + 1)] + snippet + line[other % (len(line) + 1) :],
        "unquote": line.replace('"', "", 1),
    }
    return [*lines[:at], changed[kind], *lines[at + 1 :]]


@settings(max_examples=150, deadline=None)
@given(edits=st.lists(EDIT, min_size=1, max_size=3))
def test_a_damaged_policy_gives_findings_and_never_a_traceback(edits: list[tuple[str, int, int, str]]) -> None:
    lines = LINES
    for edit in edits:
        lines = edited(edit, lines)
    assert all(isinstance(finding, Finding) and finding.what for finding in lint_text("\n".join(lines)))
