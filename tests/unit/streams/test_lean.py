import gc
import subprocess
import sys

import pytest

from streams.lean import loading

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
        ("score", ("prompt_toolkit", "typer", "rich", "aiohttp", "phonenumbers", "pytickersymbols", "holidays")),
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


OPENED = """
import asyncio, sys
from enrichment.opening import opened
from enrichment.providers.pool import Pool
from enrichment.providers.registry import Tools
from schemas.org import Org
import streams.stages.enrich
waterfall = opened(Org(), Tools(None, str, Pool()), b"secret", None)
asyncio.run(waterfall.close())
print(*(name for name in ("aiohttp", "cryptography") if name in sys.modules))
"""


def test_enrich_without_providers_outside_loads_neither_an_http_client_nor_ciphers() -> None:
    assert subprocess.run([sys.executable, "-c", OPENED], capture_output=True, text=True, check=True).stdout == "\n"


def test_the_collector_rests_while_a_stage_loads_and_works_again_afterwards() -> None:
    with pytest.raises(ImportError), loading():
        assert not gc.isenabled()
        raise ImportError("a stage that is not there")
    assert gc.isenabled()
    gc.unfreeze()
