"""`leadstream up`: all stages on one machine."""

from typing import Annotated

import typer

from streams.cli.stage_names import require_known

app = typer.Typer(add_completion=False)


@app.command()
def up(
    context: typer.Context,
    stages: Annotated[list[str] | None, typer.Argument(metavar="[STAGE]...", help="Only these. Default: all.")] = None,
) -> None:
    """Run every stage on this machine and restart what dies, until Ctrl-C. How many of each: LEADSTREAM_SLOTS.

    The board runs too where LEADSTREAM_BOARD_IS_OPEN, _KEYS or _OIDC_ISSUER lets somebody in, and the feed where a
    webhook of the channels asks for events.

    Example: LEADSTREAM_SLOTS='{"score": 2}' leadstream up
    """
    from streams import supervisor  # here: help needs no Kafka client

    require_known(stages or (), supervisor.STOP_ORDER)
    raise typer.Exit(supervisor.up(context.obj.settings(), stages or ()))
