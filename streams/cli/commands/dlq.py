"""`leadstream dlq`: records that could not be handled."""

import getpass
from typing import Annotated, Any

import typer

from streams.cli.dead_letters import DeadLetters, Letter, NotReplayable, letters
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.output import AsJson, print_json, print_table, say

app = typer.Typer(add_completion=False, help="Look at, replay or drop dead letters.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help='The letter, "partition/offset" as `dlq list` shows it.')]


@app.command("list")
def list_letters(
    context: typer.Context,
    stage: Annotated[str, typer.Option(help="Only those of this stage.")] = "",
    error: Annotated[str, typer.Option(help="Only those with this error class.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Replayed and dropped ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the dead letters that wait for somebody, oldest first.

    Example: leadstream dlq list --stage enrich
    """
    found = [
        letter
        for letter in letters(context.obj.cluster())
        if stage in ("", letter.stage) and error in ("", letter.error) and (everything or letter.is_open)
    ]
    if as_json:
        print_json([_told(letter) for letter in found])
        return
    print_table(
        ("id", "at (UTC)", "from", "stage", "error", "reason", "state"),
        [
            (one.id, f"{one.at:%m-%d %H:%M:%S}", one.origin, one.stage, one.error, one.reason, one.state)
            for one in found
        ],
        empty="No dead letters.",
    )


@app.command()
def show(context: typer.Context, letter_id: Id, as_json: AsJson = False) -> None:
    """Show one letter: where it came from, why it is here, its headers and bytes (which may hold personal data).

    Example: leadstream dlq show 3/17
    """
    letter = _one(letters(context.obj.cluster()), letter_id)
    told = _told(letter) | {
        "headers": {name: (value or b"").decode(errors="replace") for name, value in letter.headers},
        "key": None if letter.key is None else letter.key.decode(errors="replace"),
        "value": None if letter.value is None else letter.value.decode(errors="backslashreplace"),
    }
    if as_json:
        print_json(told)
    else:
        print_table(("field", "value"), told.items())


@app.command()
def replay(
    context: typer.Context,
    letter_id: Annotated[str | None, typer.Argument(metavar="ID", help="The letter; or --all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    stage: Annotated[str, typer.Option(help="With --all: only those of this stage.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put letters back where they came from: same bytes, key and headers, and a header that says so. Once each.

    With --all, one that cannot be put back keeps no other: the end tells which those are, and the exit code is 1.

    Example: leadstream dlq replay 3/17
    """
    if (letter_id is None) != everything:
        raise CommandFailed("Say which: an ID, or --all.", "leadstream dlq list shows the ids.", ExitCode.USAGE)
    with DeadLetters(context.obj.cluster(), getpass.getuser()) as dead:
        if letter_id is not None:
            chosen = [_one(dead.letters, letter_id)]
        else:
            chosen = [one for one in dead.letters if one.is_open and stage in ("", one.stage)]
        replayed, left = _replayed(dead, chosen)
    if letter_id is not None and left:
        raise left[0]
    if as_json:
        print_json({"replayed": replayed, "not_replayed": [{"id": one.letter_id, "why": one.why} for one in left]})
    else:
        say(f"{len(replayed)} replayed.")
    if left:
        told = "\n".join(f"  {one.letter_id}: {one.why}" for one in left)
        raise CommandFailed(f"{len(left)} cannot be replayed:\n{told}", "leadstream dlq drop ID closes one.")


def _replayed(dead: DeadLetters, chosen: list[Letter]) -> tuple[list[str], list[NotReplayable]]:
    """Replay what can be; return the ids of those, and why not of the others."""
    replayed: list[str] = []
    left: list[NotReplayable] = []
    for letter in chosen:
        try:
            dead.replay(letter)
        except NotReplayable as error:
            left.append(error)
        else:
            replayed.append(letter.id)
    return replayed, left


@app.command()
def drop(
    context: typer.Context,
    letter_id: Id,
    reason: Annotated[str, typer.Option(help="Why nobody needs it; kept with the letter.")],
    as_json: AsJson = False,
) -> None:
    """Close a letter without replaying it. Who, when and why are recorded; the bytes stay until they expire.

    Example: leadstream dlq drop 3/17 --reason "test data of the agency"
    """
    if not reason.strip():
        raise CommandFailed("A dropped letter needs a reason.", "Give --reason TEXT.", ExitCode.USAGE)
    with DeadLetters(context.obj.cluster(), getpass.getuser()) as dead:
        letter = _one(dead.letters, letter_id)
        dead.drop(letter, reason.strip())
    if as_json:
        print_json({"dropped": letter.id})
    else:
        say(f"{letter.id} dropped.")


def _one(found: list[Letter], letter_id: str) -> Letter:
    letter = next((one for one in found if one.id == letter_id), None)
    if letter is None:
        fix = "leadstream dlq list --all shows those there are; they are kept 14 days."
        raise CommandFailed(f"There is no dead letter {letter_id!r}.", fix, ExitCode.NOT_FOUND)
    return letter


def _told(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "at": letter.at,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "stage": letter.stage,
        "error": letter.error,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "state": letter.state,
        "is_pointer": letter.is_pointer,
        "resolution": letter.resolution,
    }
