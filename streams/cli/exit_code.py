"""What a command's exit code means. Documented in docs/cli.md; scripts rely on it."""

from enum import IntEnum


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1  # a check failed, or what was asked for could not be done
    USAGE = 2  # the command line is wrong
    UNREACHABLE = 3  # the Kafka cluster does not answer
    NOT_FOUND = 4  # there is no such lead, rep, policy or record
    SETTINGS = 5  # LEADSTREAM_... is incomplete or wrong
    REFUSED = 6  # the input (policy, roster, leads) has errors: nothing was written
    BUG = 70  # a fault of leadstream's own
    INTERRUPTED = 130  # Ctrl-C
