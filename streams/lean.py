"""What the process of a stage leaves out: the screens that libraries load for command lines of their own."""

import ctypes
import sys
from types import ModuleType

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def leave_out_screens() -> None:
    """Keep prompt_toolkit, rich and typer out of this process; call it before the stage is imported.

    `import cel` loads its command line (11 MB) and structlog its colours (4 MB): a stage has no terminal. structlog
    does without rich; the command line of cel is an attribute that nobody asks for. What is loaded already stays.
    """
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None there: `import rich` raises ImportError
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))


def keep_few_arenas() -> None:
    """Let glibc keep two heaps for all threads of this process; elsewhere do nothing. Call it before there are threads.

    By default each of the dozen threads of librdkafka and RocksDB gets one of its own, and what one frees no other
    uses.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_ARENA_MAX, 2)
