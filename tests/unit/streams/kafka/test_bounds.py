"""The bounds of a partition are asked for again while nobody leads it, and only then."""

from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.kafka.bounds import bounds

SPOT = TopicPartition("leads.timers", 3)


class Broker:
    """Answers each question with the next of `answers`: an error's code or the bounds."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def get_watermark_offsets(self, spot: TopicPartition, timeout: float, cached: bool) -> tuple[int, int]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            raise KafkaException(KafkaError(answer))
        return cast(tuple[int, int], answer)


def test_a_partition_whose_leader_moves_is_asked_until_it_has_one() -> None:
    broker = Broker(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError._UNKNOWN_PARTITION, (4, 9))
    assert bounds(cast(Consumer, broker), SPOT) == (4, 9)


def test_a_partition_that_gets_no_leader_is_told_as_kafka_says_it() -> None:
    with pytest.raises(KafkaException) as refused:
        bounds(cast(Consumer, Broker(KafkaError.LEADER_NOT_AVAILABLE)), SPOT, patience_seconds=0.0)
    assert refused.value.args[0].code() == KafkaError.LEADER_NOT_AVAILABLE


def test_any_other_refusal_is_not_asked_twice() -> None:
    broker = Broker(KafkaError.TOPIC_AUTHORIZATION_FAILED, (4, 9))
    with pytest.raises(KafkaException):
        bounds(cast(Consumer, broker), SPOT)
