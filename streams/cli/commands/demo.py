"""`leadstream demo`: the whole thing on this machine, with real companies."""

import typer

app = typer.Typer(add_completion=False)


@app.command()
def demo() -> None:
    """Route 200 leads of real companies on a real Kafka, and watch. In a terminal it stays up until Ctrl-C.

    Example: leadstream demo
    """
    from streams.demo.show import run

    raise typer.Exit(run())
