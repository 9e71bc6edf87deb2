"""One connection for many mails: within the server's limits, and never one that the server has left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import aiosmtplib
import pytest

from notifiers.mail_connections import MailConnections
from notifiers.settings import SmtpSettings
from tests.lab.http_server import Mood
from tests.lab.mail_server import MailServer, mail_serving


@asynccontextmanager
async def connections(**changes: int) -> AsyncIterator[tuple[MailConnections, MailServer]]:
    async with mail_serving(Mood()) as server:
        smtp = SmtpSettings(host="127.0.0.1", port=server.port, sender="leads@us.example", **changes)
        made = MailConnections(smtp)
        try:
            yield made, server
        finally:
            await made.close()


async def mailed(made: MailConnections, to: str = "mona@sales.example") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "leads@us.example", to, "A lead"
    mail.set_content("A lead is yours.")
    async with made.lent(60) as client:
        await client.send_message(mail)


async def test_twenty_mails_take_one_connection() -> None:
    async with connections() as (made, server):
        for _ in range(20):
            await mailed(made)
        assert len(server.mails) == 20
        assert len(server.sessions) == 1


async def test_a_connection_takes_no_more_mails_than_it_may() -> None:
    async with connections(mails_a_connection=3) as (made, server):
        for _ in range(7):
            await mailed(made)
        assert len(server.mails) == 7
        assert len(server.sessions) == 3


async def test_one_that_the_server_has_left_is_replaced_and_the_mail_arrives_once() -> None:
    async with connections() as (made, server):
        await mailed(made)
        transport = server.sessions[0].transport
        assert transport is not None
        transport.abort()
        await mailed(made)
        assert len(server.mails) == 2
        assert len(server.sessions) == 2


async def test_after_a_refused_mail_the_connection_goes_on() -> None:
    async with connections() as (made, server):
        server.mood.script = [404]
        with pytest.raises(aiosmtplib.SMTPDataError):
            await mailed(made)
        await mailed(made)
        assert len(server.mails) == 1
        assert len(server.sessions) == 1


async def test_one_that_broke_off_is_not_used_again() -> None:
    async with connections() as (made, server):
        server.mood.script = ["drop"]
        with pytest.raises(aiosmtplib.SMTPException):
            await mailed(made)
        await mailed(made)
        assert len(server.sessions) == 2
