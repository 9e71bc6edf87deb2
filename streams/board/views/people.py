"""The people and pools of the board: who is there, how full, and whether each gets their share."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import TypeAdapter

from routing.availability import absence
from routing.calendar.business_time import calendar_of, is_open
from routing.capacity import limit_of
from routing.groups import Group, lead_group, pool_group
from routing.policy import Policy, compile_policy
from routing.pool_state import PoolState, Turn
from routing.rep_state import POINT, RepState, calendar_from
from streams.board.views.leads import counts

_REP: TypeAdapter[RepState] = TypeAdapter(RepState)
_POOL: TypeAdapter[PoolState] = TypeAdapter(PoolState)
_TURN: TypeAdapter[Turn] = TypeAdapter(Turn)
_GROUP: TypeAdapter[Group] = TypeAdapter(Group)
_AWAY_WORDS = {"inactive": "deactivated", "vacant": "vacant in the CRM", "absent": "out of office"}


@dataclass(frozen=True, slots=True)
class Person:
    """One entry of the roster. away: why nothing reaches them now, None: they are there. load, limit: points.

    deviation: turns received less turns entitled to, in the pool where it is largest; None: in no rotation.
    """

    id: str
    name: str
    division: str
    role: str
    team: str | None
    active: bool
    away: str | None
    load: float = 0.0
    limit: float | None = None
    open_leads: int = 0
    overdue: int = 0
    deviation: float | None = None
    pools: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Return how full they are, 0 to 1 and more."""
        return self.load / self.limit if self.limit else 0.0

    @property
    def is_full(self) -> bool:
        """Tell whether no further lead fits (CAPA-1: half a point each)."""
        return self.limit is not None and self.load + 0.5 > self.limit


@dataclass(frozen=True, slots=True)
class PoolOf:
    """A pool with its members. turns: placed by its rotation so far."""

    name: str
    division: str
    lead: tuple[str, ...]
    members: tuple[Person, ...]
    turns: int
    held: int = 0


@dataclass(frozen=True, slots=True)
class People:
    """Everybody by id, and the pools by name."""

    by_id: Mapping[str, Person]
    pools: Sequence[PoolOf]

    def name(self, rep: str | None) -> str:
        """Return the name of a rep id, the id itself where the roster has none."""
        if rep is None:
            return "nobody"
        found = self.by_id.get(rep)
        return found.name if found else rep


def entities(connection: sqlite3.Connection, kind: str) -> dict[str, bytes]:
    """Return the rows of one kind by id, as JSON."""
    return {
        key: value.encode() for key, value in connection.execute("SELECT id, value FROM entities WHERE kind=?", (kind,))
    }


def policies(connection: sqlite3.Connection) -> dict[str, Policy]:
    """Return the active policy of each division that has one."""
    rows = entities(connection, "policy")
    found: dict[str, Policy] = {}
    for key, value in rows.items():
        if key.startswith("active/"):
            body = rows.get(orjson.loads(value)["hash"])
            if body is not None:
                found[key.removeprefix("active/")] = _compiled(orjson.loads(body)["text"])
    return found


def names(connection: sqlite3.Connection) -> dict[str, str]:
    """Return rep id -> name."""
    return {key: str(orjson.loads(value).get("name", key)) for key, value in entities(connection, "rep").items()}


def people(connection: sqlite3.Connection, now: datetime) -> People:
    """Return everybody as they stand now."""
    states = {
        key.split("/", 1)[1]: _REP.validate_json(value) for key, value in entities(connection, "assign.rep").items()
    }
    active = policies(connection)
    open_leads, overdue = _leads(connection, now)
    rotations = _rotations(connection)
    groups = {key: _GROUP.validate_json(value).reps for key, value in entities(connection, "assign.group").items()}
    by_id = {}
    for rep, value in sorted(entities(connection, "rep").items()):
        row = orjson.loads(value)
        division = row.get("division", "main")
        mine = tuple(
            key.split("/", 1)[1].removeprefix("pool:")
            for key, reps in groups.items()
            if "/pool:" in key and rep in reps
        )
        state = states.get(rep)
        turns = [deviation for (_, _, who), deviation in rotations.items() if who == rep]
        by_id[rep] = Person(
            rep,
            row["name"],
            division,
            row.get("role", "rep"),
            row.get("team"),
            row.get("active", True),
            _away(state, active.get(division), mine, now),
            (state.load if state else 0) / POINT,
            _limit(state, active.get(division), now),
            open_leads.get(rep, 0),
            overdue.get(rep, 0),
            max(turns, key=abs) if turns else None,
            mine,
        )
    return People(by_id, _pools(connection, by_id, groups, active))


def deviation_of(turn: Turn, pool: PoolState) -> float:
    """Return turns received less turns entitled to (NEW-10), from a member's place on the pool's virtual clock.

    A member is owed (level - start) * weight turns, levels over the pool's base; while unseated, what is kept in start.
    """
    if turn.is_seated:
        owed = (pool.level / pool.base - turn.start / turn.base) * turn.weight
    else:
        owed = turn.start / turn.base * turn.weight
    return -owed


def _rotations(connection: sqlite3.Connection) -> dict[tuple[str, str, str], float]:
    pools = {key: _POOL.validate_json(value) for key, value in entities(connection, "assign.pool").items()}
    found = {}
    for key, value in entities(connection, "assign.turn").items():
        division, pool, rep = key.split("/", 2)
        state = pools.get(f"{division}/{pool}")
        if state is not None:
            found[division, pool, rep] = deviation_of(_TURN.validate_json(value), state)
    return found


def _pools(
    connection: sqlite3.Connection,
    by_id: Mapping[str, Person],
    groups: Mapping[str, tuple[str, ...]],
    active: Mapping[str, Policy],
) -> list[PoolOf]:
    states = {key: _POOL.validate_json(value) for key, value in entities(connection, "assign.pool").items()}
    held = counts(connection, "held")
    found = []
    for division, policy in active.items():
        for name in policy.file.pools:
            members = groups.get(f"{division}/{pool_group(name)}", ())
            state = states.get(f"{division}/{name}")
            found.append(
                PoolOf(
                    name,
                    division,
                    groups.get(f"{division}/{lead_group(name)}", ()),
                    tuple(by_id[rep] for rep in members if rep in by_id),
                    state.turns if state else 0,
                    held.get(name, 0),
                )
            )
    return found


def _leads(connection: sqlite3.Connection, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    late = connection.execute(
        "SELECT owner, count(*) FROM leads INDEXED BY leads_owner "
        "WHERE closed_at IS NULL AND owner IS NOT NULL AND waits_until < ? GROUP BY owner",
        (now.timestamp(),),
    )
    return counts(connection, "owner"), dict(tuple(row) for row in late)


def _away(state: RepState | None, policy: Policy | None, pools: Sequence[str], now: datetime) -> str | None:
    why = absence(state, now, now)
    if why is not None:
        return _AWAY_WORDS.get(why, why)
    if state is None or state.row is None or policy is None:
        return None
    if state.row.hours is not None:
        calendar = calendar_from(state.row.hours)
    else:
        name = next(
            (pool.hours for pool in map(policy.file.pools.get, pools) if pool and pool.hours), policy.file.hours
        )
        hours = policy.file.calendars.get(name) if name else None
        if hours is None:
            return None
        calendar = calendar_of(hours)
    return None if is_open(calendar, now) else "off shift"


def _limit(state: RepState | None, policy: Policy | None, now: datetime) -> float | None:
    if state is None or state.row is None or policy is None:
        return None
    capacity = policy.file.capacity
    share = capacity.ramping_share if state.row.seniority in capacity.ramping_seniority else 1.0
    today = now.astimezone(ZoneInfo(policy.file.timezone)).date()  # as a decision has it
    return limit_of(state.row, round(capacity.limit * POINT), round(share * 100), today) / POINT


@lru_cache(maxsize=16)
def _compiled(text: str) -> Policy:
    return compile_policy(text)


def entity(connection: sqlite3.Connection, kind: str, key: str) -> Any:
    """Return one row of a kind as plain data, None where there is none."""
    found = connection.execute("SELECT value FROM entities WHERE kind=? AND id=?", (kind, key)).fetchone()
    return None if found is None else orjson.loads(found[0])
