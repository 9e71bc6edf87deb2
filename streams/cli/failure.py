"""Why a command ends without having done what was asked, and what a person can do about it."""

from streams.cli.exit_code import ExitCode
from streams.errors import LeadstreamError


class CommandFailed(LeadstreamError):
    """A command cannot do what was asked. what: one sentence, with the place. fix: what to do; code: the exit code."""

    def __init__(self, what: str, fix: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.code = code


def not_found(what: str, fix: str) -> CommandFailed:
    """Return the failure of a look-up."""
    return CommandFailed(what, fix, ExitCode.NOT_FOUND)


def refused(what: str, fix: str) -> CommandFailed:
    """Return the failure of input that has errors."""
    return CommandFailed(what, fix, ExitCode.REFUSED)
