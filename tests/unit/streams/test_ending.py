"""How a process ends: one line that says why, and an exit code that a supervisor can act on."""

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from streams.ending import EXIT_FATAL, EXIT_FENCED, EXIT_STOPPED, served
from streams.errors import Fatal, Fenced
from streams.health import Health, Phase
from streams.restore import Stopped
from streams.stopping import Stop


def ended(serve: Callable[[Stop, Health], None]) -> tuple[int, list[str], str]:
    """Return the exit code, what was logged, and the last line's reason."""
    with capture_logs() as lines:
        code = served("enrich", 2, ("127.0.0.1", None), CollectorRegistry(), serve)
    assert all((line["stage"], line["slot"]) == ("enrich", 2) for line in lines)
    return code, [line["event"] for line in lines], lines[-1].get("reason", "")


def raising(error: Exception) -> Callable[[Stop, Health], None]:
    def serve(stop: Stop, health: Health) -> None:
        raise error

    return serve


@pytest.mark.parametrize("serve", [lambda stop, health: None, raising(Stopped())], ids=["at work", "while it restores"])
def test_who_is_asked_to_end_leaves_with_zero(serve: Callable[[Stop, Health], None]) -> None:
    assert ended(serve) == (EXIT_STOPPED, ["process.started", "process.stopped"], "")


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (Fatal("the store is ahead"), EXIT_FATAL, "the store is ahead"),
        (OSError("disk full"), EXIT_FATAL, "disk full"),
        (KafkaException(KafkaError(KafkaError._TRANSPORT)), EXIT_FATAL, "_TRANSPORT"),
        (Fenced("another has this slot"), EXIT_FENCED, "another has this slot"),
    ],
    ids=["fatal", "disk", "kafka", "fenced"],
)
def test_an_error_that_was_foreseen_is_one_line_with_its_reason(error: Exception, code: int, reason: str) -> None:
    found, lines, said = ended(raising(error))
    assert (found, lines) == (code, ["process.started", "process.ended"])
    assert reason in said


def test_an_error_that_nobody_foresaw_comes_with_its_traceback_and_ends_the_process_too() -> None:
    assert ended(raising(ZeroDivisionError()))[:2] == (EXIT_FATAL, ["process.started", "process.failed"])


def test_a_process_that_failed_is_not_ready() -> None:
    seen: list[Health] = []

    def serve(stop: Stop, health: Health) -> None:
        health.enter(Phase.RUNNING)
        seen.append(health)
        raise Fatal("no")

    ended(serve)
    assert not seen[0].is_ready
