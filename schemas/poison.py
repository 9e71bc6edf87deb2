"""The error of a record that can never be handled."""


class Poison(Exception):
    """This record never will be readable: it goes to the dead-letter topic, alone, with this reason.

    reason: plain words for the operator, without personal data. Raised by pure code and adapters alike.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
