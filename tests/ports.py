"""Ports for processes that tests start: drawn at random, as other tests look for theirs at the same time."""

import random
from collections.abc import Sequence

from streams.broker.ports import CHOICES, free_ports, is_free
from streams.topology import NAMES, PORTS_A_STAGE


def free_port() -> int:
    """Return a port that nobody listens on."""
    return next(free_ports(random.choice(CHOICES)))


def free_base(beside: Sequence[int] = ()) -> int:
    """Return a port from which on the first port of each stage is free, and those so many `beside` it."""
    places = [PORTS_A_STAGE * number for number in range(len(NAMES))]
    return next(
        port
        for port in free_ports(random.choice(CHOICES))
        if all(is_free(port + place) for place in (*places, *beside))
    )
