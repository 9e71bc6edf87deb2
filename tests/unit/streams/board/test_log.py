"""A lead's decisions are read where the board noted them; one that is gone is not one that Kafka has yet to give."""

from dataclasses import dataclass
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from streams.board.log import DecisionLog
from streams.kafka.config import ClusterSettings


@dataclass
class Answer:
    """A message of the log, or what Kafka says instead of one."""

    code: int | None = None

    def error(self) -> KafkaError | None:
        return None if self.code is None else KafkaError(self.code)


class Kafka:
    """A consumer that gives one answer to whatever it is asked."""

    def __init__(self, answer: Answer | None) -> None:
        self.answer = answer

    def assign(self, places: object) -> None: ...

    def unassign(self) -> None: ...

    def close(self) -> None: ...

    def poll(self, seconds: float) -> Answer | None:
        return self.answer


def log_of(answer: Answer | None) -> DecisionLog:
    log = DecisionLog(ClusterSettings(bootstrap="nowhere:1"))
    log._consumer = cast(Consumer, Kafka(answer))
    return log


def test_a_decision_that_the_topic_no_longer_keeps_is_left_out() -> None:
    assert log_of(Answer(KafkaError._PARTITION_EOF)).decisions_at([(0, 7)]) == []


@pytest.mark.parametrize("answer", [None, Answer(KafkaError._ALL_BROKERS_DOWN)])
def test_a_log_that_does_not_answer_is_no_log_without_the_decision(answer: Answer | None) -> None:
    with pytest.raises(KafkaException):
        log_of(answer).decisions_at([(0, 7)])
