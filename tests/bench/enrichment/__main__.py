"""`python -m tests.bench.enrichment outage|slow`: leads at a steady rate on a real broker beside bad providers.

Nothing passes or fails here but the machine's patience; the short versions that count are in
tests/integration/test_enrichment.py.
"""

import argparse
import json
import tempfile
from pathlib import Path

from streams.broker.embedded import start
from tests.bench.enrichment import outage, slow


def main() -> None:
    """Run one of the two and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=("outage", "slow"))
    parser.add_argument("--rate", type=int, help="leads a second (outage 100, slow 500)")
    parser.add_argument("--seconds", type=float, help="how long (outage 600, slow 20)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadstream-bench-") as scratch:
        folder = Path(scratch)
        with start(folder / "kafka") as broker:
            if asked.case == "outage":
                found = outage.run(broker.bootstrap, folder, asked.rate or 100, asked.seconds or 600)
            else:
                found = slow.run(broker.bootstrap, folder, asked.rate or 500, asked.seconds or 20)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
