"""How long a command that goes on waits between two rounds."""

from schemas.duration import duration
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed


def pause_between(every: str) -> float:
    """Return the seconds of `--every`. Raises CommandFailed for what is no duration, and for none at all."""
    try:
        seconds = duration(every).total_seconds()
    except ValueError as error:
        raise CommandFailed(f"--every: {error}.", 'Write a duration such as "1h".', ExitCode.USAGE) from error
    if seconds <= 0:
        raise CommandFailed(f"--every: {every} is no time at all.", 'Write a duration such as "1h".', ExitCode.USAGE)
    return seconds
