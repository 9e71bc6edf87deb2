"""A provider that has stopped answering, noticed before its first request has run out of time."""

from dataclasses import dataclass, field
from itertools import islice


@dataclass(slots=True)
class Silence:
    """Counts the requests that are out and when one was last answered. All times are event-loop seconds.

    A breaker counts ends: at 100 leads a second a provider that takes requests and says nothing is asked 200 times
    before the first of them ends after two seconds. So nothing more is asked while `most` requests have been out for
    longer than patience and not one answer came since. The first answer ends that; without one, the ends of those
    requests open the breaker. Patience is four times what an answer usually takes, at least a quarter and at most
    half of `call_seconds`.

    answered: share of the last requests, some sixteen of them, that got an answer.
    """

    most: int
    call_seconds: float
    usual: float = field(init=False)
    answered: float = field(init=False, default=1.0)
    _out: dict[int, float] = field(default_factory=dict)  # in the order of sending
    _heard_at: float = float("-inf")
    _number: int = 0

    def __post_init__(self) -> None:
        self.usual = self.call_seconds / 8

    def is_silent(self, now: float) -> bool:
        """Tell whether one more request would be one too many."""
        if len(self._out) < self.most:
            return False
        since = next(islice(self._out.values(), self.most - 1, None))  # so many have been out since then
        patience = min(max(4 * self.usual, self.call_seconds / 4), self.call_seconds / 2)
        return now - since > patience and self._heard_at < since

    def is_one_of_few(self, sent_at: float) -> bool:
        """Tell whether a request that ran out of time says nothing against the provider: it has answered others since.

        Where one call in a hundred takes too long, those of a large batch end together, with no answer in between.
        """
        return self._heard_at > sent_at and self.answered >= 0.5

    def sent(self, now: float) -> int:
        """Note a request; return its number."""
        self._number += 1
        self._out[self._number] = now
        return self._number

    def ended(self, number: int, now: float, *, has_answered: bool) -> None:
        """Note that a request has ended, by an answer (a refusal is one too) or by nobody's."""
        took = now - self._out.pop(number)
        self.answered += (has_answered - self.answered) / 16
        if has_answered:
            self._heard_at = now
            self.usual += (took - self.usual) / 8
