"""A HubSpot account: contacts, companies, deals and owners with history, and the limits of its documentation."""

import itertools
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from tests.lab.http_server import Got

APP_ID = "4711"
CALLS_PER_TEN_SECONDS = 100
SEARCHES_PER_SECOND = 5
_STAMP = {"contacts": "lastmodifieddate"}


@dataclass
class Thing:
    """One object. history: property -> versions, the newest last."""

    id: str
    properties: dict[str, str] = field(default_factory=dict)
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    is_archived: bool = False


@dataclass
class HubSpotOrg:
    """Answers as `http_server.Answer`. throttled: calls refused for their rate; refused: for their size or shape.

    is_down: answers 503 to everything. calls: by path's last part.
    """

    things: dict[str, dict[str, Thing]] = field(default_factory=lambda: {"contacts": {}, "companies": {}, "deals": {}})
    owners: list[dict[str, Any]] = field(default_factory=list)
    is_down: bool = False
    throttled: int = 0
    refused: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(501))
    _recent: deque[float] = field(default_factory=deque)
    _searches: deque[float] = field(default_factory=deque)

    def put(self, kind: str, values: dict[str, str], thing_id: str | None = None, by: str = "CRM_UI") -> Thing:
        """Make or change an object as a person would (`by`), or an integration."""
        made = thing_id or str(next(self._ids))
        thing = self.things[kind].setdefault(made, Thing(made))
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for name, value in values.items():
            if thing.properties.get(name) != value:
                source = {"sourceType": by, "sourceId": APP_ID if by == "INTEGRATION" else "userId:1"}
                thing.history.setdefault(name, []).append({"value": value, "timestamp": at, **source})
        thing.properties |= values
        thing.properties[_STAMP.get(kind, "hs_lastmodifieddate")] = at
        return thing

    def contact(self, lead_id: str) -> Thing | None:
        """Return our lead's contact."""
        found = (c for c in self.things["contacts"].values() if c.properties.get("leadstream_id") == lead_id)
        return next((one for one in found if not one.is_archived), None)

    async def __call__(self, got: Got) -> web.StreamResponse:
        if self.is_down:
            return web.Response(status=503)
        is_search = got.path.endswith("/search")
        policy = self._over(is_search=is_search)
        if policy is not None:
            self.throttled += 1
            body = {"status": "error", "message": "You have reached your limit.", "errorType": "RATE_LIMIT"}
            return web.json_response({**body, "policyName": policy}, status=429)
        what = got.path.rstrip("/").rsplit("/", 1)[-1]
        self.calls[what] = self.calls.get(what, 0) + 1
        if "/owners" in got.path:
            archived = got.query.get("archived", "false").lower() == "true"
            return web.json_response({"results": [row for row in self.owners if row["archived"] is archived]})
        kind = got.path.split("/objects/", 1)[1].split("/", 1)[0]
        asked = orjson.loads(got.body)
        match what:
            case "search":
                return self._search(kind, asked)
            case "read":
                return self._read(kind, asked, archived=got.query.get("archived", "false").lower() == "true")
            case "upsert":
                return self._batch(kind, asked, self._upserted)
            case "update":
                return self._batch(kind, asked, self._updated)
            case _:
                thing = self.put(kind, asked["properties"], what, "INTEGRATION")
                return web.json_response({"id": thing.id, "properties": thing.properties})

    def _over(self, *, is_search: bool) -> str | None:
        now = time.monotonic()
        for times, seconds in ((self._recent, 10.0), (self._searches, 1.0)):
            while times and times[0] <= now - seconds:
                times.popleft()
        if len(self._recent) >= CALLS_PER_TEN_SECONDS:
            return "TEN_SECONDLY_ROLLING"
        if is_search and len(self._searches) >= SEARCHES_PER_SECOND:
            return "SECONDLY"
        self._recent.append(now)
        if is_search:
            self._searches.append(now)
        return None

    def _refuse(self, why: str) -> web.Response:
        self.refused.append(why)
        return web.json_response({"status": "error", "message": why, "category": "VALIDATION_ERROR"}, status=400)

    def _search(self, kind: str, asked: dict[str, Any]) -> web.Response:
        after, limit = int(asked.get("after") or 0), int(asked["limit"])
        if limit > 200 or after + limit > 10_000:
            return self._refuse("limit above 200, or past 10,000 results")
        groups = [group["filters"] for group in asked["filterGroups"]]
        rows = [
            thing
            for thing in self.things[kind].values()
            if not thing.is_archived and any(all(_holds(thing, f) for f in filters) for filters in groups)
        ]
        sort = asked["sorts"][0]["propertyName"]
        rows.sort(key=lambda thing: thing.properties.get(sort, ""))
        page = [self._shown(thing, asked["properties"]) for thing in rows[after : after + limit]]
        body: dict[str, Any] = {"total": len(rows), "results": page}
        if after + limit < len(rows):
            body["paging"] = {"next": {"after": str(after + limit)}}
        return web.json_response(body)

    def _read(self, kind: str, asked: dict[str, Any], *, archived: bool) -> web.Response:
        inputs = asked["inputs"]
        with_history = asked.get("propertiesWithHistory") or []
        if len(inputs) > (50 if with_history else 100):
            return self._refuse("too many inputs")
        name = asked.get("idProperty")
        found = [
            thing
            for thing in self.things[kind].values()
            if thing.is_archived is archived
            and (thing.properties.get(name) if name else thing.id) in {one["id"] for one in inputs}
        ]
        rows = [self._shown(thing, asked["properties"], with_history) for thing in found]
        missing = len(inputs) - len(rows)
        body: dict[str, Any] = {"status": "COMPLETE", "results": rows}
        if missing:
            body |= {"numErrors": 1, "errors": [{"category": "OBJECT_NOT_FOUND", "status": "error"}]}
        return web.json_response(body, status=207 if missing else 200)

    def _batch(self, kind: str, asked: dict[str, Any], write: Any) -> web.Response:
        if len(asked["inputs"]) > 100:
            return self._refuse("too many inputs")
        for row in asked["inputs"]:
            conflict = self._other_with_address(kind, row)
            if conflict is not None:
                said = f"Contact already exists. Existing ID: {conflict}"
                return web.json_response({"status": "error", "message": said, "category": "CONFLICT"}, status=409)
        done = [self._shown(write(kind, row), list(row["properties"])) for row in asked["inputs"]]
        return web.json_response({"status": "COMPLETE", "results": done})

    def _other_with_address(self, kind: str, row: dict[str, Any]) -> str | None:
        address = row["properties"].get("email")
        for thing in self.things[kind].values():
            is_it = thing.properties.get(row.get("idProperty", ""), thing.id) == row["id"] or thing.id == row["id"]
            if address and thing.properties.get("email") == address and not is_it:
                return thing.id
        return None

    def _upserted(self, kind: str, row: dict[str, Any]) -> Thing:
        known = self.contact(row["id"])
        return self.put(kind, row["properties"], known.id if known else None, "INTEGRATION")

    def _updated(self, kind: str, row: dict[str, Any]) -> Thing:
        return self.put(kind, row["properties"], row["id"], "INTEGRATION")

    def _shown(self, thing: Thing, properties: list[str], with_history: list[str] | None = None) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": thing.id,
            "properties": {name: thing.properties.get(name) for name in properties},
            "archived": thing.is_archived,
        }
        if with_history:
            row["propertiesWithHistory"] = {name: thing.history.get(name, [])[::-1] for name in with_history}
        return row


def _holds(thing: Thing, wanted: dict[str, Any]) -> bool:
    value = thing.properties.get(wanted["propertyName"])
    match wanted["operator"]:
        case "HAS_PROPERTY":
            return bool(value)
        case "GTE":
            at = datetime.fromisoformat(str(value)) if value else datetime.min.replace(tzinfo=UTC)
            return at.timestamp() * 1_000 >= float(wanted["value"])
        case "IN":
            return value in wanted["values"]
        case "EQ":
            return value == wanted["value"]
        case other:
            raise AssertionError(f"the lab has no operator {other}")
