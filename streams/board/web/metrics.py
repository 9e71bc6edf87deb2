"""What the board counts, for Prometheus: what waits for a person. Numbers only, so no login is asked for."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from streams.board.views.flags import KINDS, Flags, flags
from streams.board.views.letters import Waiting, waiting
from streams.board.web.board import Board
from streams.board.web.pages import FLAGS_SECONDS
from streams.board.web.progress import register

PATH = "/metrics"


class BoardMetrics:
    """Gauges, set when they are asked for. Label: the kind of a red flag, a closed set."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Red flags that stand, by kind. `stale account` and `ghost user`: put roster and accounts right; the board's
        # page of red flags names each, with its cause.
        self._flags = Gauge("leadstream_board_flags", "Red flags that stand.", ["kind"], registry=registry)
        # Dead letters neither replayed nor dropped. Any: the board's page Unreadable lists them, with the reason.
        self._letters = Gauge("leadstream_board_dead_letters", "Dead letters not settled.", registry=registry)
        # Since when the oldest of them waits, 0 for none. Kafka keeps them for 14 days, then the lead is gone.
        self._age = Gauge(
            "leadstream_board_dead_letter_age_seconds", "Age of the oldest dead letter not settled.", registry=registry
        )

    def set(self, raised: Flags, letters: Waiting, now_seconds: float) -> None:
        """Take what stands now. now_seconds: since 1970."""
        kinds = [flag.kind for flag in (*raised.live, *raised.setup)]
        for kind in KINDS:
            self._flags.labels(kind).set(kinds.count(kind))
        self._letters.set(letters.count)
        self._age.set(0 if letters.oldest is None else max(0.0, now_seconds - letters.oldest.timestamp()))


def metrics_router(board: Board, registry: CollectorRegistry) -> APIRouter:
    """Return the route PATH."""
    router, metrics = APIRouter(), BoardMetrics(registry)
    register(registry, board.follower, board.live)

    @router.get(PATH)
    async def prometheus() -> Response:
        now = board.clock()
        raised = await board.live.kept("flags", FLAGS_SECONDS, lambda: board.look(lambda store: flags(store, now)))
        metrics.set(raised, await board.look(waiting), now.timestamp())
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
