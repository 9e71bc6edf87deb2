"""The shapes of the outside APIs, as their documentation gives them, for `http_server.serving`."""

import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import web

from tests.lab.http_server import Got


async def plain_ok(got: Got) -> web.StreamResponse:
    """A webhook receiver or push gateway."""
    return web.Response(status=204)


@dataclass
class Slack:
    """chat.postMessage, conversations.open, .history and .replies. messages: by conversation."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ticks: Any = field(default_factory=lambda: itertools.count(1))

    async def __call__(self, got: Got) -> web.StreamResponse:
        method = got.path.rsplit("/", 1)[-1]
        asked = _asked(got)
        channel = _conversation(str(asked.get("channel") or asked.get("users") or ""))
        match method:
            case "chat.postMessage":
                ts = f"1700000000.{next(self.ticks):06d}"
                row = {**asked, "ts": ts}
                if isinstance(row.get("metadata"), str):
                    row["metadata"] = orjson.loads(row["metadata"])
                self.messages.setdefault(channel, []).append(row)
                return web.json_response({"ok": True, "channel": channel, "ts": ts, "message": {"text": "…"}})
            case "conversations.open":
                return web.json_response({"ok": True, "channel": {"id": channel}})
            case "conversations.history" | "conversations.replies":
                latest = self.messages.get(channel, [])[::-1][: int(asked.get("limit") or 100)]
                return web.json_response({"ok": True, "messages": latest, "has_more": False})
            case _:
                return web.json_response({"ok": False, "error": "unknown_method"})


def _conversation(asked: str) -> str:
    return f"D{asked[1:]}" if asked.startswith("U") else asked


def _asked(got: Got) -> dict[str, Any]:
    if "json" in got.headers.get("content-type", ""):
        return dict(orjson.loads(got.body))
    return {**got.query, **{name: values[0] for name, values in parse_qs(got.body.decode()).items()}}


@dataclass
class Twilio:
    """POST and GET /2010-04-01/Accounts/{sid}/Messages.json. texts: what was taken; listed the latest first."""

    texts: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, got: Got) -> web.StreamResponse:
        if got.method == "GET":
            rows = [self._row(text) for text in self.texts[::-1] if text["To"] == got.query.get("To")]
            rows = rows[: int(got.query.get("PageSize", 50))]
            return web.json_response({"messages": rows, "page": 0, "page_size": 50, "next_page_uri": None})
        text = {name: values[0] for name, values in parse_qs(got.body.decode()).items()}
        self.texts.append(text)
        return web.json_response(self._row(text), status=201)

    def _row(self, text: dict[str, str]) -> dict[str, Any]:
        return {"sid": f"SM{len(self.texts):032d}", "to": text["To"], "body": text["Body"], "status": "queued"}


@dataclass
class HubSpot:
    """CRM v3 contacts: batch upsert and update by id. contacts: by our id. taken: mail -> id of an older contact."""

    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    async def __call__(self, got: Got) -> web.StreamResponse:
        asked = orjson.loads(got.body)
        if got.path.endswith("/batch/upsert"):
            row = asked["inputs"][0]
            properties = row["properties"]
            if properties.get("email") in self.taken:
                said = f"Contact already exists. Existing ID: {self.taken[properties['email']]}"
                return web.json_response({"status": "error", "message": said, "category": "CONFLICT"}, status=409)
            self.contacts[row["id"]] = properties
            return web.json_response({"status": "COMPLETE", "results": [{"id": "501", "properties": properties}]})
        self.contacts[got.path.rsplit("/", 1)[-1]] = asked["properties"]
        return web.json_response({"id": "501", "properties": asked["properties"]})


@dataclass
class Salesforce:
    """PATCH sobjects/Lead/<external id field>/<id>: 201 when made, 204 when updated."""

    leads: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def __call__(self, got: Got) -> web.StreamResponse:
        name = got.path.rsplit("/", 1)[-1]
        status = 204 if name in self.leads else 201
        self.leads[name] = orjson.loads(got.body)
        return (
            web.json_response({"id": "00Q1", "success": True, "created": True})
            if status == 201
            else web.Response(status=204)
        )
