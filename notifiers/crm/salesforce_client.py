"""Salesforce's client (simple-salesforce), paced and with its answers sorted: SOQL and sObject Collections."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from notifiers.crm.paced import Pace, tried
from notifiers.http import check_status
from notifiers.outcome import Refused, Retryable
from notifiers.settings import SalesforceSettings

T = TypeVar("T")
# Records a collections request (Salesforce's limit); ids a query, so that its address stays below 8 kB (16 kB is
# Salesforce's limit, 8 kB that of many a proxy).
COLLECTION = 200
IDS_A_QUERY = 100

_TIMEOUT_SECONDS = 30.0


class _Session(requests.Session):
    """A session with a time-out, that calls the host of the settings: the client always writes https."""

    def __init__(self, instance_url: str) -> None:
        super().__init__()
        self._instance_url = instance_url.rstrip("/")
        self._written = "https://" + self._instance_url.partition("://")[2]

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", _TIMEOUT_SECONDS)
        kwargs["allow_redirects"] = False
        text = url.decode() if isinstance(url, bytes) else url
        return super().request(method, text.replace(self._written, self._instance_url, 1), *args, **kwargs)


class SalesforceClient:
    """One thread, one call at a time.

    Every method raises Retryable when Salesforce stays away for `patience_seconds`, Refused when it will never answer.
    """

    def __init__(self, settings: SalesforceSettings, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._client = Salesforce(
            session_id=settings.token.get_secret_value(),
            instance_url=settings.instance_url,
            version=settings.api_version.lstrip("v"),
            session=_Session(settings.instance_url),
        )
        self._calls = Pace(settings.calls_per_second)

    def rows(self, soql: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a query, page by page (2,000 by default)."""
        yield from self._pages(soql, deleted_too=False)

    def rows_with_deleted(self, soql: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a query, those in the bin too."""
        yield from self._pages(soql, deleted_too=True)

    def upsert(self, kind: str, external_id: str, records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Upsert at most 200 records by an external id; return Salesforce's result for each, in order."""
        body = {"allOrNone": False, "records": [{"attributes": {"type": kind}, **record} for record in records]}
        path = f"composite/sobjects/{kind}/{external_id}"
        return self._asked(lambda: list(self._client.restful(path, method="PATCH", json=body) or ()))

    def update(self, kind: str, records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Update at most 200 records by "id"; return Salesforce's result for each, in order."""
        body = {"allOrNone": False, "records": [{"attributes": {"type": kind}, **record} for record in records]}
        return self._asked(lambda: list(self._client.restful("composite/sobjects", method="PATCH", json=body) or ()))

    def _pages(self, soql: str, *, deleted_too: bool) -> Iterator[Mapping[str, Any]]:
        page = self._asked(lambda: self._client.query(soql, include_deleted=deleted_too))
        while True:
            yield from page["records"]
            if page["done"]:
                return
            url = page["nextRecordsUrl"]
            page = self._asked(partial(self._client.query_more, url, identifier_is_url=True))

    def _asked(self, call: Callable[[], T]) -> T:
        return tried(self._calls, lambda: _answer(call), self._patience_seconds)


def _answer(call: Callable[[], T]) -> T:
    """Return what one call returns. Only codes are kept of what went wrong: bodies may quote a lead."""
    try:
        return call()
    except SalesforceError as error:
        codes: list[str] = []
        if isinstance(error.content, list):
            codes = [str(row.get("errorCode", "")) for row in error.content]
        if "REQUEST_LIMIT_EXCEEDED" in codes:
            raise Retryable("Salesforce's request limit is used up", is_throttled=True) from None
        check_status(int(error.status), {}, "Salesforce")
        raise Refused(f"Salesforce answered {error.status}") from None
    except requests.RequestException as error:
        raise Retryable(f"Salesforce broke off: {type(error).__name__}", may_have_arrived=True) from None


def at_of(said: str) -> datetime:
    """Return an instant as Salesforce writes it, "2026-03-10T14:14:00.000+0000"."""
    at = datetime.fromisoformat(said)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def literal(at: datetime) -> str:
    """Return an instant as SOQL wants it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
