"""Twenty browsers in a process of their own, so that whoever measures beside them does not wait for them.

`python -m tests.bench.browsers PORT`: until SIGTERM.
"""

import asyncio
import sys

from tests.bench.board import browse

if __name__ == "__main__":
    asyncio.run(browse(int(sys.argv[1])))
