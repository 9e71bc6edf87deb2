"""Free ports on the loopback interface."""

import random
import socket
import time
from collections.abc import Iterator

from streams.errors import Fatal

DEFAULT_PORT = 9092
# Below the ephemeral range of every system: a client that retries a closed port of that range can be given the same
# port as its source, connects to itself, and the broker can't bind it any more.
CHOICES = range(20_000, 32_000)


RELEASE_SECONDS = 3.0
POLL_SECONDS = 0.02


class PortTaken(Fatal):
    """The port that the embedded broker must have is in use. Free it or choose another."""


def is_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the broker does: TIME_WAIT is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def only(port: int) -> Iterator[int]:
    """Yield `port`, if it is free within 3 s: a process that was killed gives it back a moment later."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            raise PortTaken(f"Port {port} of 127.0.0.1 is in use. Free it or choose another.")
        time.sleep(POLL_SECONDS)
    yield port


def free_ports(preferred: int) -> Iterator[int]:
    """Yield ports that are free now: `preferred` first if it is, then others in no order, without end."""
    if is_free(preferred):
        yield preferred
    while True:
        port = random.choice(CHOICES)
        if is_free(port):
            yield port
