"""A slot as a child of `leadstream up`: `python -m streams.child STAGE SLOT PARENT`. It ends with its parent."""

import ctypes
import os
import signal
import sys

from streams.lean import keep_few_arenas, leave_out_screens, loading
from streams.niceness import give_way

PR_SET_PDEATHSIG = 1
BOARD = "board"


def follow(parent: int) -> None:
    """Have the kernel end this process when `parent` ends, even by SIGKILL (Linux; elsewhere `up` alone sees to it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before we asked
        sys.exit(1)


def main(arguments: list[str]) -> int:
    """Run one slot; return its exit code."""
    stage, slot, parent = arguments
    follow(int(parent))
    keep_few_arenas()
    if stage == BOARD:
        return _board()
    leave_out_screens()
    with loading():
        from streams.errors import LeadstreamError
        from streams.settings import load
        from streams.topology import FEED, run_stage

    try:
        return _feed() if stage == FEED else run_stage(stage, int(slot), load())
    except LeadstreamError as error:
        print(error, file=sys.stderr)
        return 5


def _feed() -> int:
    from streams.feed.process import run
    from streams.settings import load

    settings = load()
    give_way(settings.beside_nice)
    return run(settings)


def _board() -> int:
    from streams.board.server import serve
    from streams.board.settings import BoardSettings
    from streams.errors import LeadstreamError
    from streams.logs import configure_logs
    from streams.settings import load

    configure_logs()
    try:
        settings = load()
        give_way(settings.beside_nice)
        return serve(BoardSettings(), settings)
    except LeadstreamError as error:
        print(error, file=sys.stderr)
        return 5


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
