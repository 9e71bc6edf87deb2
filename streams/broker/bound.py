"""Run a command that cannot outlive the process that asked for it: `python bound.py PARENT_PID COMMAND ARGUMENT…`.

A process of its own because the request (PR_SET_PDEATHSIG) must be made between fork and exec, where a parent with
threads may run no Python. Standard library only: it is started by path, before anything is importable.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask the kernel for SIGKILL at the parent's death, then become the command. Linux; elsewhere only the latter."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it died before the request
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
