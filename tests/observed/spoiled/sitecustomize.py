"""For processes of an injected run, found by PYTHONPATH: a file named like the stage spoils it while it is there.

`STAGE-clock` steps its wall clock: the machine's own cannot be set for one process, so it is what the product's clock
takes for it. `track-slow` makes each record of TRACK take longer: the process stays as it is otherwise, and is scraped.
"""

import os
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

STEP = timedelta(seconds=30)
SLOW_SECONDS = 0.01
_FOLDER = os.environ.get("LEADSTREAM_TEST_SWITCHES", "")
_STAGE = sys.orig_argv[sys.orig_argv.index("run") + 1] if "run" in sys.orig_argv[:-1] else ""


def _is_on(what: str) -> bool:
    return (Path(_FOLDER) / f"{_STAGE}-{what}").exists()


class Stepped:
    """In the place of `datetime` in the product's clock: STEP ahead while it is switched on."""

    @staticmethod
    def now(tz: tzinfo | None = None) -> datetime:
        now = datetime.now(tz)
        return now + STEP if _is_on("clock") else now


if _FOLDER and _STAGE:
    import streams.clock

    streams.clock.datetime = Stepped  # type: ignore[attr-defined]

if _FOLDER and _STAGE == "track":
    from streams.stages.track import Track

    _handle = Track.handle

    def _slowly(self: Track, *event: Any) -> Any:
        if _is_on("slow"):
            time.sleep(SLOW_SECONDS)
        return _handle(self, *event)

    Track.handle = _slowly  # type: ignore[method-assign]
