"""What a process says of Kafka beside exceptions."""

from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from streams.connecting import TOLD_SECONDS, Unheard


def test_a_login_that_fails_is_told_once_a_minute_and_what_mends_itself_at_debug() -> None:
    now = 5.0
    unheard = Unheard("score", lambda: now)
    refused = KafkaError(KafkaError._AUTHENTICATION, "Invalid username or password")
    with capture_logs() as lines:
        unheard(refused)
        unheard(refused)
        unheard(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        unheard(KafkaError(KafkaError._TRANSPORT))
        now += TOLD_SECONDS
        unheard(refused)
    told = [line for line in lines if line["log_level"] == "warning"]
    assert [line["error"] for line in told] == ["_AUTHENTICATION", "_ALL_BROKERS_DOWN", "_AUTHENTICATION"]
    assert told[0]["reason"] == "Invalid username or password"
    assert [line["error"] for line in lines if line["log_level"] == "debug"] == ["_AUTHENTICATION", "_TRANSPORT"]
