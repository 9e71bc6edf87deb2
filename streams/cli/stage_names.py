"""Names of stages on a command line."""

from collections.abc import Sequence

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed


def require_known(names: Sequence[str], known: Sequence[str]) -> None:
    """Raises CommandFailed, a usage error, at the first name that is not known."""
    for name in names:
        if name not in known:
            raise CommandFailed(f"There is no stage {name!r}.", f"There are {', '.join(known)}.", ExitCode.USAGE)
