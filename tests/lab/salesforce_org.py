"""A Salesforce org: the queries and collections that leadstream uses, with the limits of its documentation."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson
from aiohttp import web

from tests.lab.http_server import Got

INTEGRATION_USER = "005000000000009"
LONGEST_ADDRESS_BYTES = 16_384
_PAGE = 2_000
_SOQL = re.compile(
    r"SELECT (?P<columns>.+?) FROM (?P<kind>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY (?P<order>\w+))?$"
)
_PREFIX = {"Lead": "00Q", "Account": "001", "Opportunity": "006", "Task": "00T", "Event": "00U", "User": "005"}

Row = dict[str, Any]


@dataclass
class SalesforceOrg:
    """Answers as `http_server.Answer`. tables: object -> id -> row, every column set. is_down: 503 to everything."""

    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    is_down: bool = False
    refused: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _cursors: dict[str, list[Row]] = field(default_factory=dict)

    def put(self, kind: str, values: Row, row_id: str | None = None, by: str = "005000000000001") -> Row:
        """Make or change a row as the user `by` would; owner and status of a Lead leave history."""
        made = row_id or f"{_PREFIX.get(kind, '0ZZ')}{next(self._ids):012d}"
        rows = self.tables.setdefault(kind, {})
        fresh = {"Id": made, "IsDeleted": False, **({"Status": "Open"} if kind == "Lead" else {})}
        row = rows.setdefault(made, fresh)
        now = _now()
        for column, name in (("OwnerId", "Owner"), ("Status", "Status")):
            if kind == "Lead" and column in values and row.get(column) not in (None, values[column]):
                self._remember(made, name, values[column], by, now)
        row |= {**values, "SystemModstamp": now, "LastModifiedDate": now}
        return row

    def _remember(self, lead: str, name: str, value: str, by: str, now: str) -> None:
        for shown in (f"name of {value}", value) if name == "Owner" else (value,):
            made = f"017{next(self._ids):012d}"
            self.tables.setdefault("LeadHistory", {})[made] = {
                "Id": made,
                "LeadId": lead,
                "Field": name,
                "NewValue": shown,
                "CreatedDate": now,
                "CreatedById": by,
                "IsDeleted": False,
            }

    def lead(self, lead_id: str) -> Row | None:
        """Return our lead's row."""
        rows = self.tables.get("Lead", {}).values()
        return next((r for r in rows if r.get("Leadstream_Id__c") == lead_id and not r["IsDeleted"]), None)

    async def __call__(self, got: Got) -> web.StreamResponse:
        if self.is_down:
            return web.Response(status=503)
        parts = got.path.split("/services/data/v62.0/", 1)[1].strip("/").split("/")
        self.calls[parts[0]] = self.calls.get(parts[0], 0) + 1
        match parts:
            case ["query" | "queryAll" as how]:
                if len(got.path) + sum(map(len, got.query.values())) > LONGEST_ADDRESS_BYTES:
                    return self._refuse("URI_TOO_LONG", 414)
                return self._page(list(self._selected(got.query["q"], deleted_too=how == "queryAll")))
            case ["query", cursor]:
                return self._page(self._cursors.pop(cursor))
            case ["composite", "sobjects", kind, external_id]:
                return self._collection(got, kind, external_id)
            case ["composite", "sobjects"]:
                return self._collection(got, "", "id")
            case ["sobjects", kind, external_id, value]:
                return self._one(kind, external_id, unquote(value), orjson.loads(got.body))
            case ["sobjects", kind, row_id]:
                self.put(kind, orjson.loads(got.body), row_id, INTEGRATION_USER)
                return web.Response(status=204)
            case other:
                return self._refuse(f"NOT_FOUND {other}", 404)

    def _refuse(self, code: str, status: int = 400) -> web.Response:
        self.refused.append(code)
        return web.json_response([{"errorCode": code, "message": code}], status=status)

    def _page(self, rows: list[Row]) -> web.Response:
        body: Row = {"totalSize": len(rows), "done": len(rows) <= _PAGE, "records": rows[:_PAGE]}
        if not body["done"]:
            cursor = f"01g{next(self._ids):012d}-{_PAGE}"
            self._cursors[cursor] = rows[_PAGE:]
            body["nextRecordsUrl"] = f"/services/data/v62.0/query/{cursor}"
        return web.json_response(body)

    def _collection(self, got: Got, kind: str, external_id: str) -> web.Response:
        records = orjson.loads(got.body)["records"]
        if len(records) > 200:
            return self._refuse("EXCEEDED_ID_LIMIT")
        results = []
        for record in records:
            values = {name: value for name, value in record.items() if name not in ("attributes", "id")}
            of = kind or record["attributes"]["type"]
            known = record["id"] if external_id == "id" else self._known(of, external_id, record[external_id])
            row = self.put(of, values, known, INTEGRATION_USER)
            results.append({"id": row["Id"], "success": True, "created": known is None, "errors": []})
        return web.json_response(results)

    def _one(self, kind: str, external_id: str, value: str, values: Row) -> web.Response:
        known = self._known(kind, external_id, value)
        row = self.put(kind, {**values, external_id: value}, known, INTEGRATION_USER)
        if known is not None:
            return web.Response(status=204)
        return web.json_response({"id": row["Id"], "success": True, "created": True, "errors": []}, status=201)

    def _known(self, kind: str, external_id: str, value: str) -> str | None:
        rows = self.tables.get(kind, {}).values()
        return next((r["Id"] for r in rows if r.get(external_id) == value and not r["IsDeleted"]), None)

    def _selected(self, soql: str, *, deleted_too: bool) -> Iterator[Row]:
        asked = _SOQL.match(soql)
        assert asked is not None, f"the lab cannot read {soql[:200]}"
        columns = [column.strip() for column in asked["columns"].split(",")]
        rows = [row for row in self.tables.get(asked["kind"], {}).values() if deleted_too or not row["IsDeleted"]]
        wanted = (asked["where"] or "").split(" AND ") if asked["where"] else []
        rows = [row for row in rows if all(_holds(row, condition) for condition in wanted)]
        if asked["order"]:
            rows.sort(key=lambda row: str(row.get(asked["order"])))
        for row in rows:
            yield {**{c: row.get(c) for c in columns if "." not in c}, **self._related(row, columns)}

    def _related(self, row: Row, columns: list[str]) -> Row:
        found: Row = {}
        for column in columns:
            if "." in column:
                relation, name = column.split(".", 1)
                kind = {"Lead": "Lead", "Parent": "Account"}[relation]
                other = self.tables.get(kind, {}).get(row.get(f"{relation}Id") or "")
                found[relation] = {name: other.get(name)} if other else None
        return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _holds(row: Row, condition: str) -> bool:
    name, how, said = re.match(r"(\w+) (>=|<=|!=|=|IN) (.+)$", condition.strip()).groups()  # type: ignore[union-attr]
    value = row.get(name)
    if how == "IN":
        return value in re.findall(r"'([^']*)'", said)
    if said in ("true", "false"):
        return value is (said == "true")
    if said == "null":
        return (value is None) is (how == "=")
    if how in (">=", "<="):
        if value is None:
            return False
        at, limit = datetime.fromisoformat(str(value)), datetime.fromisoformat(said)
        return at.replace(microsecond=0) >= limit if how == ">=" else at <= limit
    return (value == said.strip("'")) is (how == "=")
