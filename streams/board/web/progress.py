"""What the board says of its own work to Prometheus: how far it has read, and for how many browsers."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.board.follower import Follower
from streams.board.web.live import Live


def register(registry: CollectorRegistry, follower: Follower, live: Live) -> None:
    """Put what the board says of its own work on a registry; read from its parts when it is asked for."""
    # Age of the oldest record that the board has not taken in, or how long it has not looked or reached Kafka; 0 when
    # it has all. Above 60 for five minutes: it gets less CPU than it needs, or its disk is slow; its pages say so too.
    # Leads are not affected.
    behind = Gauge("leadstream_board_behind_seconds", "Age of the oldest record not shown.", registry=registry)
    behind.set_function(lambda: follower.behind().seconds)
    # Records not taken in yet. Large after a start with an empty file: it reads what the topics keep.
    unread = Gauge("leadstream_board_lag_records", "Records not taken in yet.", registry=registry)
    unread.set_function(lambda: follower.behind().records)
    # Pages that are open in browsers. At 500 further ones are refused.
    browsers = Gauge("leadstream_board_browsers", "Pages that are open.", registry=registry)
    browsers.set_function(lambda: live.listeners)
    # Records that the board could not read and passed over. Any: a stage wrote what this build does not know.
    passed_over = Counter("leadstream_board_passed_over_total", "Records passed over.", registry=registry)
    follower.on_passed_over = passed_over.inc
