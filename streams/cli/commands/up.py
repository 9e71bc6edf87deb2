"""`leadstream up`: all stages on one machine."""

import typer

app = typer.Typer(add_completion=False)


@app.command()
def up(context: typer.Context) -> None:
    """Run every stage on this machine and restart what dies, until Ctrl-C. How many of each: LEADSTREAM_SLOTS.

    Example: LEADSTREAM_SLOTS='{"score": 2}' leadstream up
    """
    from streams import supervisor

    supervisor.up(context.obj.settings())
