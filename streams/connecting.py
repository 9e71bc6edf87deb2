"""What every slot does before its first record: wait for a broker, fence its predecessor, keep librdkafka quiet."""

import logging
import time
from collections.abc import Callable

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from streams.health import Health
from streams.kafka.cluster import PROBE_SECONDS, ClusterUnreachable, probe
from streams.kafka.config import ClusterSettings
from streams.message import failure
from streams.restore import Stopped
from streams.stopping import Stop

INIT_SECONDS = 30.0
BACKOFF_MAX_SECONDS = 10.0
TOLD_SECONDS = 60.0
_CUT_OFF = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE, KafkaError._ALL_BROKERS_DOWN})

log = structlog.get_logger()


def until_reachable(step: Callable[[], object], stage: str, stop: Stop, health: Health) -> None:
    """Do `step`, again and again while no broker answers: one line at the first time, then with back-off.

    Raises Stopped where the process is asked to end first, and what `step` raises but ClusterUnreachable.
    """

    def told(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            log.warning("broker.unreachable", stage=stage, reason=str(state.outcome.exception()))
        health.tick()

    def pause(seconds: float) -> None:
        stop.wait(seconds)

    retrying = Retrying(
        retry=retry_if_exception_type(ClusterUnreachable),
        wait=wait_random_exponential(multiplier=0.2, max=BACKOFF_MAX_SECONDS),
        stop=lambda state: stop.is_requested(),
        sleep=pause,
        before_sleep=told,
        reraise=True,
    )
    try:
        retrying(step)
    except ClusterUnreachable as error:
        raise Stopped() from error


def require_answer(cluster: ClusterSettings) -> None:
    """Return if a broker answers, within 2 s: the checks that follow wait longer each. Raises ClusterUnreachable."""
    probe(cluster, {"logger": quiet()})


def initialise(producer: Producer) -> None:
    """Fence whoever had the slot before, and end its open transaction. Raises ClusterUnreachable to be tried again."""
    try:
        # Asked before it is connected, librdkafka looks for the coordinator again only after half a second.
        producer.list_topics(timeout=PROBE_SECONDS)
        producer.init_transactions(INIT_SECONDS)
    except KafkaException as error:
        if error.args[0].retriable() or error.args[0].code() == KafkaError._TIMED_OUT:
            raise ClusterUnreachable(f"Kafka did not give this slot its producer ({error.args[0].str()}).") from error
        raise failure(error.args[0], "starting the producer") from error


class Unheard:
    """An error callback: what the client mends by itself, told at debug, for it comes as an exception where it can't.

    No exception comes of a login, a certificate or a name that fails, or of brokers that are all away, while there is
    nothing to do: those are told at warning, once in TOLD_SECONDS each.
    """

    def __init__(self, stage: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stage = stage
        self._monotonic = monotonic
        self._told_at: dict[int, float] = {}

    def __call__(self, error: KafkaError) -> None:
        now, code = self._monotonic(), error.code()
        if code in _CUT_OFF and now - self._told_at.get(code, -TOLD_SECONDS) >= TOLD_SECONDS:
            self._told_at[code] = now
            log.warning("kafka.cut_off", stage=self._stage, error=error.name(), reason=error.str())
        else:
            log.debug("kafka.error", stage=self._stage, error=error.name(), reason=error.str())


def quiet() -> logging.Logger:
    """Return a logger without a handler for librdkafka's own lines: what matters comes to its error callback."""
    logger = logging.Logger("librdkafka")
    logger.addHandler(logging.NullHandler())
    return logger
