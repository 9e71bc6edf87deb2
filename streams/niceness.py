"""Who gives way: what only reads beside the stages takes the processor time that they leave."""

import os
import sys


def give_way(niceness: int) -> None:
    """Lower the priority of this process and of all threads that it will start to `niceness` (0 to 19).

    Call it before there are threads: on Linux niceness is a thread's own. A process that is as nice already, or nicer
    (started by `nice`), stays as it is. Not on Windows, which has no niceness.
    """
    if sys.platform != "win32":
        os.nice(max(0, niceness - os.nice(0)))
