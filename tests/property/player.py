"""Plays the logs that come on stdin, one a line, and answers with a digest each. Runs as a process of its own."""

import json
import sys

from tests.property.history import digest_of, played

if __name__ == "__main__":
    for line in sys.stdin:
        print(digest_of(played(json.loads(line))), flush=True)
