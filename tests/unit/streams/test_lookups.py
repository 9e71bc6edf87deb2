"""What is still being asked of the outside when a batch is over."""

import asyncio
import socket
from typing import cast

from prometheus_client import CollectorRegistry

from streams.lookups import Lookups
from streams.metrics import RunnerMetrics
from streams.stage import Stage


def test_an_answer_that_comes_between_batches_is_read_without_waiting_for_one() -> None:
    loop = asyncio.new_event_loop()
    lookups = Lookups(cast(Stage, None), loop, 5.0, RunnerMetrics(CollectorRegistry(), "enrich"))
    lookups.read_on()  # nobody asks: nothing to do
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)

        async def asked() -> bytes:
            return await asyncio.get_running_loop().sock_recv(ours, 6)

        async def begun() -> asyncio.Task[bytes]:
            task = asyncio.create_task(asked())
            await asyncio.sleep(0)
            return task

        task = loop.run_until_complete(begun())
        lookups.read_on()
        assert not task.done()
        theirs.sendall(b"answer")
        lookups.read_on()
        assert task.result() == b"answer"
    loop.close()
