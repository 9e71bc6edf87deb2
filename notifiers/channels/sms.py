"""SMS through Twilio's own client, over our connections and to a host of our choosing."""

import logging
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifiers.http import call
from notifiers.message import Message
from notifiers.outcome import UNCONFIGURED, Retryable, Sent, Suppressed
from notifiers.outside import Outside
from notifiers.settings import SmsSettings

_OFFICIAL = "https://api.twilio.com"
_LOOK_BACK = timedelta(hours=24)
MARK_DIGITS = 8  # of 50 texts of one day and wording, four would take another for a repeat once in 1,300 suspects
_SILENT = logging.Logger("leadstream.twilio", logging.CRITICAL + 1)  # the client logs requests, which hold numbers


class _Http(AsyncHttpClient):  # type: ignore[misc] # twilio ships no types
    """Twilio's transport: our session, our host, our sorting of answers. Never retries by itself."""

    def __init__(self, outside: Outside, base_url: str, timeout_seconds: float) -> None:
        super().__init__(_SILENT, True, timeout_seconds)
        self._outside = outside
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    async def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        status, answered, body = await call(
            self._outside.session,
            method.upper(),
            url.replace(_OFFICIAL, self._base_url, 1),
            name="Twilio",
            timeout_seconds=self._timeout_seconds,
            params=params,
            data=data,
            headers={**(headers or {}), **_basic(auth)},
        )
        return Response(status, body.decode("utf-8", "replace"), answered)


def _basic(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(':'.join(auth).encode()).decode()}"} if auth else {}


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """Send one text. Twilio cannot tell a repeat: when it may be one, the last day's texts are searched for it.

    Raises Retryable, Refused or Suppressed.
    """
    sms = outside.settings.sms
    if sms is None:
        raise Suppressed(UNCONFIGURED)
    # A region or edge in the process environment would move the request to another host.
    client = Client(
        sms.account_sid,
        sms.auth_token.get_secret_value(),
        http_client=_Http(outside, sms.base_url, timeout_seconds),
        environment={"TWILIO_EDGE": ""},
    )
    text = f"{message.body.text} {mark(key)}"
    try:
        if message.may_be_repeat and await _is_known(client, message.to, text):
            return Sent(was_known=True)
        await client.messages.create_async(to=message.to, body=text, **_sender(sms))
    except (TwilioException, ValueError) as error:
        raise Retryable(f"Twilio's answer cannot be read: {type(error).__name__}", may_have_arrived=True) from None
    return Sent()


def mark(key: str) -> str:
    """Return what makes the text of a delivery its own, so that the search takes no other one for it."""
    return f"({key[:MARK_DIGITS]})"


async def _is_known(client: Client, to: str, text: str) -> bool:
    since = datetime.now(UTC) - _LOOK_BACK
    rows = await client.messages.list_async(to=to, date_sent_after=since, limit=50)
    return any(row.body == text for row in rows)


def _sender(sms: SmsSettings) -> dict[str, Any]:
    key = "messaging_service_sid" if sms.sender.startswith("MG") else "from_"
    return {key: sms.sender}
