"""The generated pages of docs are those that the code gives now."""

from pathlib import Path

import pytest

from streams.cli.reference import pages

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("name", ["events.md", "import.md", "cli.md"])
def test_the_committed_page_is_current(name: str) -> None:
    remedy = "run: python -m streams.cli.reference docs"
    assert (DOCS / name).read_text() == pages()[name], remedy
