"""What is read in one go: all that is here, or all that comes within the time a stage gives it."""

import time
from typing import cast

from confluent_kafka import Consumer

from streams.message import arrived


class Queue:
    """A consumer that has one record at once, and gets the rest after `later` seconds."""

    def __init__(self, here: int, later: float) -> None:
        self.here, self.later = here, later

    def poll(self, seconds: float) -> str | None:
        return "first" if self.here else None

    def consume(self, limit: int, seconds: float) -> list[str]:
        found = [f"{number}" for number in range(1, self.here)]
        if seconds >= self.later:
            found.append("late")
        return found[:limit]


def read(queue: Queue, limit: int, gather_seconds: float | None = None) -> list[str]:
    until = 0.0 if gather_seconds is None else time.monotonic() + gather_seconds
    return cast(list[str], arrived(cast(Consumer, queue), limit, 0.1, until))


def test_what_is_here_is_taken_at_once() -> None:
    assert read(Queue(here=3, later=0.05), 500) == ["first", "1", "2"]


def test_a_stage_that_gathers_waits_for_what_comes_after_the_first_record() -> None:
    assert read(Queue(here=1, later=0.05), 500, gather_seconds=60) == ["first", "late"]


def test_what_comes_long_after_the_batch_before_is_taken_at_once() -> None:
    assert read(Queue(here=1, later=0.05), 500, gather_seconds=-1) == ["first"]


def test_nothing_is_gathered_where_nothing_came_or_the_batch_is_full() -> None:
    assert read(Queue(here=0, later=0.05), 500, gather_seconds=60) == []
    assert read(Queue(here=1, later=0.05), 1, gather_seconds=60) == ["first"]


def test_a_record_from_before_a_rebalance_is_not_taken_with_those_after_it() -> None:
    generations = iter((1, 2))
    consumer = cast(Consumer, Queue(here=3, later=0.05))
    assert cast(list[str], arrived(consumer, 500, 0.1, generation=lambda: next(generations))) == ["1", "2"]
