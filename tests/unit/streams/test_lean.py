import subprocess
import sys

import pytest

LOADED = """
import sys
from streams.lean import leave_out_screens
leave_out_screens()
import streams.topology
import streams.stages.{stage}
print(*(name for name in {names!r} if sys.modules.get(name)))
"""


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("score", ("prompt_toolkit", "typer", "rich", "aiohttp", "phonenumbers", "pytickersymbols")),
        ("track", ("prompt_toolkit", "typer", "rich", "aiohttp", "phonenumbers", "pytickersymbols", "cel", "holidays")),
        ("assign", ("prompt_toolkit", "typer", "rich", "aiohttp", "phonenumbers", "pytickersymbols")),
        ("enrich", ("prompt_toolkit", "typer", "rich", "cel", "holidays")),
        ("notify", ("prompt_toolkit", "typer", "cel", "holidays", "phonenumbers", "pytickersymbols")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stage_does_not_load_what_it_does_not_use(stage: str, names: tuple[str, ...]) -> None:
    script = LOADED.format(stage=stage, names=names)
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"
