"""A receiver of webhooks in a process of its own, so that its processor time is not the sender's."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing.connection import Connection

_DOWN, _UP = b"/down", b"/up"
_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
_AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where it listens. It takes everything, or after `down` nothing until `up`."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def down(self) -> None:
        self._told(_DOWN)

    def up(self) -> None:
        self._told(_UP)

    def _told(self, path: bytes) -> None:
        asked = HTTPConnection("127.0.0.1", self.port, timeout=10)
        asked.request("POST", path.decode())
        asked.getresponse().read()
        asked.close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run one for the block."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Receiver(mine.recv())
    finally:
        process.terminate()
        process.join(10)


class _Answering(asyncio.Protocol):
    """Reads requests with a Content-Length and answers them: no more of HTTP than a client sends."""

    is_down = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            _, found, length = head.partition(b"content-length:")
            size = int(length.split(b"\r\n", 1)[0]) if found else 0
            if len(self._read) < end + 4 + size:
                return
            self._read = self._read[end + 4 + size :]
            self._answer(head.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        if path in (_DOWN, _UP):
            _Answering.is_down = path == _DOWN
            self._transport.write(_TAKEN)
        else:
            self._transport.write(_AWAY if _Answering.is_down else _TAKEN)


def _serve(told: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())
