"""quixstreams passing records through, exactly-once, as its documentation says. Runs in an environment of its own.

`python quix_pass.py BOOTSTRAP GROUP SOURCE TARGET` runs until SIGTERM.
"""

import sys

from quixstreams import Application  # type: ignore[import-not-found]


def main(bootstrap: str, group: str, source: str, target: str) -> None:
    """Copy `source` to `target` until SIGTERM."""
    application = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_every=500,
        auto_create_topics=False,
        loglevel="WARNING",
    )
    incoming = application.topic(source, value_deserializer="bytes", key_deserializer="bytes")
    outgoing = application.topic(target, value_serializer="bytes", key_serializer="bytes")
    application.dataframe(incoming).to_topic(outgoing)
    application.run()


if __name__ == "__main__":
    main(*sys.argv[1:5])
