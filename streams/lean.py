"""What the process of a stage leaves out of its start: what libraries load for others, and pauses while it loads."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 128 * 1024


def leave_out_screens() -> None:
    """Keep prompt_toolkit, rich, typer and greenlet out of this process; call it before the stage is imported.

    `import cel` loads its command line (11 MB) and structlog its colours (4 MB): a stage has no terminal. structlog
    does without rich and, where it is installed, greenlet (1 MB); the command line of cel is an attribute that nobody
    asks for. What is loaded already stays.
    """
    sys.modules.setdefault("greenlet", None)  # type: ignore[arg-type]  # as rich
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None there: `import rich` raises ImportError
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))


@contextmanager
def loading() -> Iterator[None]:
    """Import in this block what the process needs; a start is mostly that (docs/decisions/0230).

    What is loaded stays for good, so the collector does not go through it, neither meanwhile nor later. pydantic has
    plugins, for which it reads the entry points of all that is installed: none is in use here.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def give_back() -> None:
    """Hand the memory that glibc holds free back to the system; elsewhere do nothing.

    A large batch leaves tens of megabytes of small free pieces between what is in use, which glibc gives back by itself
    only from the end of a heap: ASSIGN held 116 MB after 500 decisions, 85 after this (docs/decisions/0231).
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def keep_few_arenas() -> None:
    """Let glibc keep two heaps for all threads of this process; elsewhere do nothing. Call it before there are threads.

    By default each of the dozen threads of librdkafka and RocksDB gets one of its own, and what one frees no other
    uses. What is large (an answer to a fetch, a block being read) is mapped by itself and given back when it is freed:
    glibc does so from the start, and raises the threshold with each one that is freed, up to 32 MiB, unless it is set.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_ARENA_MAX, 2)
            mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
            mallopt(_TRIM_THRESHOLD, _LARGE_BYTES)
