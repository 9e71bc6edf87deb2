"""For processes of an injected run, found by PYTHONPATH: their wall clock is stepped while a file names the stage.

The machine's own clock cannot be set for one process. What is stepped is what the product's clock takes for it.
"""

import os
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

STEP = timedelta(seconds=30)
_FOLDER = os.environ.get("LEADSTREAM_TEST_STEPPED", "")
_STAGE = sys.orig_argv[sys.orig_argv.index("run") + 1] if "run" in sys.orig_argv[:-1] else ""


class Stepped:
    """In the place of `datetime` in the product's clock: STEP ahead while there is a file named like the stage."""

    @staticmethod
    def now(tz: tzinfo | None = None) -> datetime:
        now = datetime.now(tz)
        return now + STEP if (Path(_FOLDER) / _STAGE).exists() else now


if _FOLDER and _STAGE:
    import streams.clock

    streams.clock.datetime = Stepped  # type: ignore[attr-defined]
