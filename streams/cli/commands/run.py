"""`leadstream run`: one slot of one stage, in this process."""

from typing import Annotated

import typer

from streams.cli.stage_names import require_known

app = typer.Typer(add_completion=False)


@app.command()
def run(
    context: typer.Context,
    stage: Annotated[str, typer.Argument(help="enrich, pending, track, score, assign, timers, notify or meter.")],
    slot: Annotated[int, typer.Option(min=0, help="Which of the stage's processes: the same number for ever.")] = 0,
) -> None:
    """Run one slot of STAGE until SIGTERM. Start as many slots as needed, each with a number of its own.

    Example: leadstream run score --slot 1
    """
    from streams.lean import keep_few_arenas, leave_out_screens, loading

    leave_out_screens()
    keep_few_arenas()
    with loading():
        from streams.topology import NAMES, run_stage  # here: the stage to run decides what else is loaded

    require_known((stage,), NAMES)
    raise typer.Exit(run_stage(stage, slot, context.obj.settings()))
