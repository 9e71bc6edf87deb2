"""Red flags: what asks for somebody now (FLG-1), and what is wrong with policy, roster and accounts (FLG-2)."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import orjson

from routing.policy import Policy
from schemas.account import STALE_AFTER, is_stale
from schemas.decision import OwnerKind
from streams.board.views.leads import Listed, counts, listed
from streams.board.views.people import People, entities, people, policies

OWNERLESS_SECONDS = 15 * 60  # MET-2: any unassigned for longer alarms
IDLE_SHARE = 0.25  # a rep below this share of the limit is idle beside a full one
FEWEST_LEADS = 10  # a rule, or a week, with fewer says nothing
COVERAGE_DAYS = 7
COVERAGE_BEFORE_DAYS = 30
Kind = Literal[
    "no owner",
    "owner inactive",
    "missed, owner never told",
    "handed on repeatedly",
    "uneven load",
    "rule unused",
    "rule overruled",
    "stale account",
    "ghost user",
    "empty pool",
    "coverage drop",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a flag may be, gravest first for those of a lead."""
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is wrong. kind: for grouping. what: of whom or what; cause: one sentence; link: where to look."""

    kind: Kind
    what: str
    cause: str
    link: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """Those of now, and those of the set-up."""

    live: Sequence[Flag]
    setup: Sequence[Flag]


def flags(connection: sqlite3.Connection, now: datetime) -> Flags:
    """Return all red flags, one a lead, pool, rule, account or person."""
    everybody, active = people(connection, now), policies(connection)
    live = [*_leads(connection, everybody, now, _moves_allowed(active)), *_uneven(everybody)]
    setup = [
        *_rules(connection, active, now),
        *_accounts(connection, everybody, now),
        *_ghosts(connection, everybody),
        *_empty_pools(everybody),
        *_coverage(connection, active, now),
    ]
    return Flags(live, setup)


def _moves_allowed(active: dict[str, Policy]) -> int:
    return min((policy.file.alarms.reassignments_in_a_day for policy in active.values()), default=2)


def _leads(connection: sqlite3.Connection, everybody: People, now: datetime, moves: int) -> Iterator[Flag]:
    """Yield at most one flag a lead: the first cause that holds, gravest first."""
    told: set[str] = set()
    day = (now - timedelta(days=1)).timestamp()
    inactive = [one.id for one in everybody.by_id.values() if not one.active] or [""]  # nobody's id
    marks = ",".join("?" * len(inactive))
    open_ones = "closed_at IS NULL AND is_test=0"
    asked: list[tuple[Kind, str, tuple[object, ...], str]] = [  # each with the index that finds it
        (
            "no owner",
            f"{open_ones} AND state IN ('assigned', 'queued', 'held') AND owner IS NULL AND submitted_at < ?",
            (now.timestamp() - OWNERLESS_SECONDS,),
            "leads_unowned",
        ),
        ("owner inactive", f"{open_ones} AND owner IS NOT NULL AND owner IN ({marks})", tuple(inactive), "leads_owner"),
        (
            "missed, owner never told",
            f"{open_ones} AND breached_at IS NOT NULL AND contacted_at IS NULL AND told.told_at IS NULL "
            "AND owner_kind='rep'",
            (),
            "leads_breached",
        ),
        (
            "handed on repeatedly",
            f"{open_ones} AND moves > 0 AND moves >= ? AND changed_at >= ?",
            (moves, day),
            "leads_moved",
        ),
    ]
    for kind, where, values, index in asked:
        for one in listed(connection, where, values, "submitted_at DESC", index):
            cause = _cause(kind, one, everybody, now, moves)
            if one.lead.lead_id not in told and cause:
                told.add(one.lead.lead_id)
                yield Flag(kind, one.company, cause, f"/leads/{one.lead.lead_id}", one.lead.changed_at)


def _cause(kind: Kind, one: Listed, everybody: People, now: datetime, moves: int) -> str:
    lead = one.lead
    owner = everybody.name(lead.owner)
    match kind:
        case "no owner":
            where = f"in queue {lead.queue}, which has no owner" if lead.owner_kind == OwnerKind.QUEUE else "nowhere"
            return f"It came {lead.tier} and is {where}. Move it to a person."
        case "owner inactive":
            return f"{owner} is deactivated and still owns it. Move it to somebody who is there."
        case "missed, owner never told":
            return f"Its deadline passed, and no notice reached {owner}."
        case _:
            recent = sum(at >= now - timedelta(days=1) for at in lead.moved_at)
            return f"It changed hands {recent} times within a day; {owner} has it now." if recent >= moves else ""


def _uneven(everybody: People) -> Iterator[Flag]:
    for pool in everybody.pools:
        there = [one for one in pool.members if one.away is None and one.limit]
        full = [one.name for one in there if one.is_full]
        idle = [one.name for one in there if one.share < IDLE_SHARE]
        if full and idle:
            cause = f"{_listing(full)} can take no more, while {_listing(idle)} is below a quarter of the limit."
            yield Flag("uneven load", f"Pool {pool.name}", cause, f"/reps#{pool.name}")


def _rules(connection: sqlite3.Connection, active: dict[str, Policy], now: datetime) -> Iterator[Flag]:
    since = _known_since(connection)
    for division, policy in active.items():
        alarms = policy.file.alarms
        start = (now - alarms.rule_unmatched_for).timestamp()
        matched, handed_on = _by_rule(connection, "rule", start), _by_rule(connection, "handed_on", start)
        for rule in policy.file.rules:
            count, moved = matched[division, rule.name], handed_on[division, rule.name]
            if count == 0 and since is not None and since <= start:
                days = alarms.rule_unmatched_for.days
                yield Flag("rule unused", f"Rule {rule.name}", f"It took no lead in {days} days.", "/flags#rules")
            if count >= FEWEST_LEADS and moved / count > alarms.rule_reassigned:
                cause = f"{moved} of its {count} leads were handed on to somebody else."
                yield Flag("rule overruled", f"Rule {rule.name}", cause, "/flags#rules")


def _by_rule(connection: sqlite3.Connection, kind: str, start: float) -> Counter[tuple[str, str]]:
    """Return what was counted by (division, rule) since the day of `start`."""
    found: Counter[tuple[str, str]] = Counter()
    for key, count in counts(connection, kind).items():
        day, division, rule = key.split("/", 2)
        if int(day) >= start // DAY_SECONDS:
            found[division, rule] += count
    return found


def _known_since(connection: sqlite3.Connection) -> float | None:
    found = connection.execute("SELECT min(submitted_at) FROM leads").fetchone()
    return None if found[0] is None else float(found[0])


def _accounts(connection: sqlite3.Connection, everybody: People, now: datetime) -> Iterator[Flag]:
    for domain, value in sorted(entities(connection, "account").items()):
        row = orjson.loads(value)
        if not row.get("is_named"):
            continue
        owner = row.get("owner")
        person = everybody.by_id.get(owner) if owner else None
        name, link = row.get("name") or domain, f"/search?q={domain}"
        if owner is None:
            yield Flag("stale account", name, "It is a named account without an owner.", link)
        elif person is None or not person.active:
            yield Flag("stale account", name, f"Its owner, {everybody.name(owner)}, is not there any more.", link)
        elif row.get("last_activity_at") and is_stale(last := datetime.fromisoformat(row["last_activity_at"]), now):
            cause = f"Nothing has happened with it for {(now - last).days} days; {STALE_AFTER.days} are the limit."
            yield Flag("stale account", name, cause, link)


def _ghosts(connection: sqlite3.Connection, everybody: People) -> Iterator[Flag]:
    """Yield who is referred to and is not on the roster: as manager, backup or owner of an account."""
    referred: dict[str, str] = {}
    for rep, value in sorted(entities(connection, "rep").items()):
        row = orjson.loads(value)
        if not row.get("active", True):
            continue
        if row.get("manager"):
            referred.setdefault(row["manager"], f"manager of {row.get('name', rep)}")
        for backup in row.get("backups") or ():
            referred.setdefault(backup["rep"], f"backup of {row.get('name', rep)}")
    for domain, value in sorted(entities(connection, "account").items()):
        backup = orjson.loads(value).get("backup")
        if backup:
            referred.setdefault(backup["rep"], f"backup of account {domain}")
    for who, whose in referred.items():
        person = everybody.by_id.get(who)
        if person is None:
            yield Flag("ghost user", who, f"Named as {whose}, and not on the roster.", "/reps")
        elif not person.active:
            yield Flag("ghost user", person.name, f"Named as {whose}, and deactivated.", "/reps")


def _empty_pools(everybody: People) -> Iterator[Flag]:
    for pool in everybody.pools:
        if not any(one.active for one in pool.members):
            cause = "Nobody on the roster fits it, so its leads go to the team lead or a queue."
            yield Flag("empty pool", f"Pool {pool.name}", cause, f"/reps#{pool.name}")


def _coverage(connection: sqlite3.Connection, active: dict[str, Policy], now: datetime) -> Iterator[Flag]:
    """Compare how many of the four fields were known, this week with the month before (ENR-3)."""
    week, month = now - timedelta(days=COVERAGE_DAYS), now - timedelta(days=COVERAGE_DAYS + COVERAGE_BEFORE_DAYS)
    recent, count = _known(connection, week, now)
    before, count_before = _known(connection, month, week)
    points = min((policy.file.alarms.enrichment_drop_points for policy in active.values()), default=10.0)
    if count >= FEWEST_LEADS and count_before >= FEWEST_LEADS and (before - recent) * 100 >= points:
        cause = f"Of headcount, industry, country and domain {recent:.0%} were known this week, {before:.0%} before."
        yield Flag("coverage drop", "Enrichment", cause, "/flags#coverage")


def _known(connection: sqlite3.Connection, since: datetime, until: datetime) -> tuple[float, int]:
    days = range(int(since.timestamp() // DAY_SECONDS) + 1, int(until.timestamp() // DAY_SECONDS) + 1)
    leads, known = counts(connection, "leads"), counts(connection, "known")
    count = sum(leads.get(str(day), 0) for day in days)
    return (sum(known.get(str(day), 0) for day in days) / count / 4.0 if count else 0.0), count


def _listing(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(names)
