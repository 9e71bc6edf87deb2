"""One HTTP call, with its answer sorted into sent, later or never."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from notifiers.outcome import Refused, Retryable

# 401 and 403: a token ran out or a limit was hit; somebody mends it, and the delivery is still good then.
_LATER = frozenset({401, 403, 408, 409, 423, 425})
_UNSURE = frozenset({500, 502, 504})  # may come from a proxy after the server behind it has taken the message
_ANSWER_BYTES = 65_536


async def call(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    name: str,
    timeout_seconds: float,
    accepted: frozenset[int] = frozenset(),
    **request: Any,
) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and at most 64 KiB of body of a 2xx answer. Redirects are not followed.

    name: what is called, for reasons. accepted: further statuses to return.
    Raises Retryable (no connection, 401, 403, 408, 409, 423, 425, 429, 5xx) or Refused.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=min(5.0, timeout_seconds))
    try:
        async with session.request(method, url, timeout=timeout, allow_redirects=False, **request) as response:
            body = await response.content.read(_ANSWER_BYTES)
            status, headers = response.status, response.headers
    except Refused:
        raise
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, Refused):
            cause = cause.__cause__
        if cause is not None:
            raise cause from None
        raise Retryable(f"{name} cannot be reached") from None
    except TimeoutError:
        raise Retryable(f"{name} did not answer in time", may_have_arrived=True) from None
    except (aiohttp.ClientError, OSError) as error:
        raise Retryable(f"{name} broke off: {type(error).__name__}", may_have_arrived=True) from None
    if status not in accepted:
        check_status(status, headers, name)
    return status, headers, body


def check_status(status: int, headers: Mapping[str, str], name: str) -> None:
    """Raise Retryable or Refused for a status outside 2xx."""
    if 200 <= status < 300:
        return
    after = retry_after(headers)
    if status == 429:
        raise Retryable(f"{name} is rate-limiting", after_seconds=after, is_throttled=True)
    if status >= 500 or status in _LATER:
        raise Retryable(f"{name} answered {status}", after_seconds=after, may_have_arrived=status in _UNSURE)
    raise Refused(f"{name} answered {status}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for (number or date), between 0 and a day; None if it says nothing."""
    said = headers.get("Retry-After")
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    if not seconds >= 0:  # NaN too
        return 0.0
    return min(seconds, 86_400.0)
