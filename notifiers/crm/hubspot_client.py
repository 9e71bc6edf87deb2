"""HubSpot's official client, paced and with its answers sorted: search, batch endpoints and owners, as plain JSON."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
import urllib3
from hubspot import HubSpot  # type: ignore[import-untyped]
from hubspot.crm.objects import ApiException as ObjectsError  # type: ignore[import-untyped]
from hubspot.crm.owners import ApiException as OwnersError  # type: ignore[import-untyped]

from notifiers.crm.paced import Pace, tried
from notifiers.http import check_status
from notifiers.outcome import Refused, Retryable
from notifiers.settings import HubSpotSettings

# HubSpot's own limits: records a batch, those with history, results a page, results a search.
BATCH = 100
BATCH_WITH_HISTORY = 50
PAGE = 200
DEEPEST = 10_000

_SHARE = 0.5  # of the account's rate; the rest is NOTIFY's
_TIMEOUT_SECONDS = 30.0
_EXISTING = re.compile(rb"Existing ID: (\d+)")
# The raw answer: the client's models drop what they do not know and cost more than the call.
_RAW: dict[str, Any] = {"_preload_content": False, "_request_timeout": _TIMEOUT_SECONDS}

Json = dict[str, Any]


class Conflict(Refused):
    """HubSpot took none of a batch: a unique value is another contact's. existing: that contact, if it said."""

    def __init__(self, existing: str | None) -> None:
        super().__init__("HubSpot has another contact under the address")
        self.existing = existing


class HubSpotClient:
    """One thread: the client's calls block, and one at a time is what the limits allow.

    Every method raises Retryable when HubSpot stays away for `patience_seconds`, Refused when it will never answer.
    """

    def __init__(self, settings: HubSpotSettings, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._client = HubSpot(
            access_token=settings.token.get_secret_value(),
            host=settings.base_url.rstrip("/"),
            retry=urllib3.Retry(total=0, redirect=0),  # `tried` does it, at the account's pace
        )
        self._objects = self._client.crm.objects
        self._calls = Pace(settings.calls_per_ten_seconds / 10 * _SHARE)
        self._searches = Pace(settings.searches_per_second * _SHARE)

    def owners(self) -> Iterator[Json]:
        """Yield the owners, the archived ones too."""
        for archived in (False, True):
            more: dict[str, Any] = {}
            while True:
                ask = partial(self._client.crm.owners.owners_api.get_page, limit=500, archived=archived, **more, **_RAW)
                page = self._asked(ask)
                yield from page["results"]
                after = _next(page)
                if after is None:
                    break
                more = {"after": after}

    def modified(
        self, kind: str, stamp: str, since: datetime, properties: Iterable[str], *filters: Mapping[str, Any]
    ) -> Iterator[Json]:
        """Yield the objects whose property `stamp` is `since` or later, the oldest first, each once.

        A search ends at 10,000 results; the next one begins at the last one's time.
        """
        seen: set[str] = set()
        while True:
            at = {"propertyName": stamp, "operator": "GTE", "value": str(int(since.timestamp() * 1_000))}
            last, count = None, 0
            for row in self.found(kind, [at, *filters], stamp, [*properties, stamp]):
                last, count = row["properties"][stamp], count + 1
                if row["id"] not in seen:
                    seen.add(row["id"])
                    yield row
            if count < DEEPEST or last is None or at_of(last) <= since:
                return
            since = at_of(last)

    def found(
        self, kind: str, filters: Sequence[Mapping[str, Any]], sort: str, properties: Sequence[str]
    ) -> Iterator[Json]:
        """Yield at most 10,000 objects of one search, sorted upwards."""
        body: Json = {
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": list(properties),
            "limit": PAGE,
        }
        after: str | None = "0"
        while after is not None and int(after) < DEEPEST:
            body["after"] = after
            page = self._asked(self._searching(kind, body))
            yield from page["results"]
            after = _next(page)

    def read(
        self,
        kind: str,
        ids: Sequence[str],
        properties: Iterable[str],
        with_history: Iterable[str] = (),
        id_property: str | None = None,
    ) -> list[Json]:
        """Return the objects with these ids (at most 100, with history 50); those that are not there are left out."""
        return self._read(kind, ids, properties, with_history, id_property, archived=False)

    def read_deleted(self, kind: str, ids: Sequence[str], id_property: str) -> list[Json]:
        """Return which of these ids lie in the bin."""
        return self._read(kind, ids, (id_property,), (), id_property, archived=True)

    def update(self, kind: str, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Update at most 100 objects by HubSpot's id; return those that were taken."""
        body = {"inputs": list(inputs)}
        return list(self._asked(lambda: self._objects.batch_api.update(kind, body, **_RAW)).get("results", ()))

    def upsert(self, kind: str, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Upsert at most 100 objects by `idProperty`; return those that were taken. Raises Conflict too."""
        body = {"inputs": list(inputs)}
        return list(self._asked(lambda: self._objects.batch_api.upsert(kind, body, **_RAW)).get("results", ()))

    def _read(
        self,
        kind: str,
        ids: Sequence[str],
        properties: Iterable[str],
        with_history: Iterable[str],
        id_property: str | None,
        *,
        archived: bool,
    ) -> list[Json]:
        body: Json = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(properties),
            "propertiesWithHistory": list(with_history),
        }
        if id_property is not None:
            body["idProperty"] = id_property
        answer = self._asked(lambda: self._objects.batch_api.read(kind, body, archived=archived, **_RAW))
        return list(answer.get("results", ()))

    def _searching(self, kind: str, body: Json) -> Callable[[], Any]:
        def search() -> Any:
            self._searches.wait()
            return self._objects.search_api.do_search(kind, body, **_RAW)

        return search

    def _asked(self, call: Callable[[], Any]) -> Json:
        return tried(self._calls, lambda: _answer(call), self._patience_seconds)


def _answer(call: Callable[[], Any]) -> Json:
    """Return the JSON of one call's answer. Only codes are kept of what went wrong: bodies may quote an address."""
    try:
        response = call()
        answer: Json = orjson.loads(response.data)
    except (ObjectsError, OwnersError) as error:
        body = error.body if isinstance(error.body, bytes) else str(error.body or "").encode()
        if error.status == 409 and (existing := _EXISTING.search(body)):
            raise Conflict(existing[1].decode()) from None
        if error.status == 409:
            raise Conflict(None) from None
        check_status(int(error.status or 0), error.headers or {}, "HubSpot")
        raise Refused(f"HubSpot answered {error.status}") from None
    except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError) as error:
        raise Retryable(f"HubSpot broke off: {type(error).__name__}", may_have_arrived=True) from None
    return answer


def _next(page: Mapping[str, Any]) -> str | None:
    after = page.get("paging", {}).get("next", {}).get("after")
    return None if after is None else str(after)


def at_of(said: str) -> datetime:
    """Return an instant as HubSpot writes it: milliseconds since 1970, or ISO 8601."""
    if said.lstrip("-").isdigit():
        return datetime.fromtimestamp(int(said) / 1_000, UTC)
    at = datetime.fromisoformat(said)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
