"""The root of all errors and its four families; `streams.runner` says what the process does for each."""


class LeadstreamError(Exception):
    """Something leadstream can name went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))


class Retryable(LeadstreamError):
    """The world may change: try again within the deadline, then degrade."""


class Fenced(LeadstreamError):
    """Another process owns this slot now. Exit; the supervisor starts us again."""


class Fatal(LeadstreamError):
    """Going on could lose or double something. Exit non-zero; a restart restores."""
