"""Leaving a consumer group."""

from contextlib import suppress

from confluent_kafka import Consumer, KafkaException


def leave(consumer: Consumer) -> None:
    """Give up the subscription, of a group that has gone on without this process.

    librdkafka would join again before the process is gone, and with the ids of this slot that puts its successor out of
    the group (decision 0145). Where the successor has put this one out already, its client is dead and says so: nothing
    is left to leave.
    """
    with suppress(KafkaException):
        consumer.unsubscribe()
