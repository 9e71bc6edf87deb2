"""Faust passing records through, at least once (leadstream never uses its exactly_once: DESIGN of the board).

`python -m tests.bench.peers.faust_pass BOOTSTRAP GROUP SOURCE TARGET` runs until SIGTERM.
"""

import sys
from typing import Any

import faust


def build(bootstrap: str, group: str, source: str, target: str) -> Any:
    """Return the Faust application that copies `source` to `target`."""
    application = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        broker_commit_every=500,  # as the others do, so that its rate can be seen from its commits
        broker_commit_interval=0.1,
        web_enabled=False,
        value_serializer="raw",
    )
    incoming = application.topic(source, value_type=bytes, value_serializer="raw", internal=False)
    outgoing = application.topic(target, value_type=bytes, value_serializer="raw", internal=False)

    async def copy(stream: Any) -> None:
        async for key, value in stream.items():
            await outgoing.send(key=key, value=value)

    application.agent(incoming)(copy)
    return application


def main(bootstrap: str, group: str, source: str, target: str) -> None:
    """Copy until SIGTERM."""
    faust.Worker(build(bootstrap, group, source, target), loglevel="WARN").execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:5])
