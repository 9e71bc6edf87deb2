"""Connections to the mail server, greeted, encrypted and logged in once and then used for many mails."""

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosmtplib

from notifiers.settings import SmtpSettings

_IDLE_SECONDS = 30.0  # servers wait for five minutes (RFC 5321, 4.5.3.2.7), impatient ones for less than one
_GOODBYE_SECONDS = 1.0


@dataclass(slots=True)
class _Connection:
    client: aiosmtplib.SMTP
    mails: int = 0
    idle_since: float = 0.0


class MailConnections:
    """The idle connections of one slot; the one used last is used first. Lives on one event loop."""

    def __init__(self, smtp: SmtpSettings) -> None:
        self._smtp = smtp
        self._idle: list[_Connection] = []

    @asynccontextmanager
    async def lent(self, timeout_seconds: float) -> AsyncIterator[aiosmtplib.SMTP]:
        """Lend a connection that answers, for one mail. What the server said no to, it can go on after.

        Raises aiosmtplib's errors.
        """
        connection = await self._answering() or await self._opened(timeout_seconds)
        try:
            yield connection.client
        except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused):
            await self._back(connection)
            raise
        except BaseException:
            connection.client.close()
            raise
        await self._back(connection)

    async def close(self) -> None:
        """Say goodbye on all idle connections."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await _ended(connection)

    async def _answering(self) -> _Connection | None:
        """Return an idle connection that the server has not left, ready for a new mail."""
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.idle_since > _IDLE_SECONDS:
                await _ended(connection)
                continue
            try:
                await connection.client.rset(timeout=_GOODBYE_SECONDS)
                return connection
            except (aiosmtplib.SMTPException, OSError):
                connection.client.close()
        return None

    async def _opened(self, timeout_seconds: float) -> _Connection:
        smtp = self._smtp
        client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            username=smtp.username,
            password=smtp.password.get_secret_value() if smtp.password else None,
            use_tls=smtp.use_tls,
            start_tls=smtp.start_tls,
            timeout=timeout_seconds,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    async def _back(self, connection: _Connection) -> None:
        connection.mails += 1
        connection.idle_since = time.monotonic()
        if connection.mails >= self._smtp.mails_a_connection:
            await _ended(connection)
        elif connection.client.is_connected:
            self._idle.append(connection)


async def _ended(connection: _Connection) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await connection.client.quit(timeout=_GOODBYE_SECONDS)
    connection.client.close()
