"""Why a decision came out as it did, as plain JSON data (NEW-5): rules, chain, candidates, counters.

Candidates of a pool: who could have had the lead, best first, then who could not and why. Of more than 50 the trace
names the nearest 50 and counts the others by reason.
"""

from typing import Any

from routing.candidates import Survey
from routing.lineup import CHOSEN, NAMED, NOT_THEIR_TURN, unnamed
from routing.picking import Pick, tie
from routing.placement import Placement
from routing.strategies.candidate import Candidate, Rank
from schemas.spliced import Written


def placement_trace(placed: Placement, lead_id: str) -> dict[str, Any]:
    """Return how the owner was found."""
    trace: dict[str, Any] = {"via": placed.via}
    if placed.passed:
        trace["chain"] = placed.chain()
    pools = [_pool(found, placed.pick, lead_id) for found in placed.surveys]
    if pools:
        trace["pools"] = pools
    return trace


def _pool(found: Survey, picked: Pick | None, lead_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {"pool": found.pool}
    named: list[dict[str, Any]] = []
    if picked is not None and picked.pool == found.pool:
        row["strategy"] = picked.strategy
        row["says"] = picked.says
        if picked.lane is not None:
            row["lane"] = picked.lane
        if picked.counters:
            row["counters"] = picked.counters
        if picked.named is not None:
            candidates, others = picked.named
            row["candidates"] = Written(candidates)
            return {**row, "others": others} if others else row
        named = _ranked(picked, found, lead_id)
    else:
        named = [_candidate(one, "could have had it") for one in found.fit[:NAMED]]
    left = NAMED - len(named)
    refused = list(found.refused.items())
    named += [{"rep": rep, "why": why} for rep, why in refused[:left]]
    row["candidates"] = named
    uncounted = max(len(found.fit) - NAMED, 0)
    others = unnamed(uncounted, [why for _, why in refused[left:]])
    return {**row, "others": others} if others else row


def _ranked(picked: Pick, found: Survey, lead_id: str) -> list[dict[str, Any]]:
    ranks, order = picked.ranks, picked.order
    rows = [{**_row(ranks[order[0]], picked.was, CHOSEN), **tie(lead_id, picked.tied)}]  # the best rank is the winner's
    others = [place for place in order[:NAMED] if picked.ranked[place].rep != picked.rep]
    rows += [_row(ranks[place], picked.ranked[place], NOT_THEIR_TURN) for place in others[: NAMED - 1]]
    if len(picked.ranks) < len(found.fit):
        lane = {one.rep for one in picked.ranked}
        passed = [one for one in found.fit if one.rep not in lane]
        rows += [_candidate(one, f"not in the {picked.lane}") for one in passed[: NAMED - len(rows)]]
    return rows


def _row(rank: Rank, one: Candidate, why: str) -> dict[str, Any]:
    return {**_candidate(one, why), "rank": rank}


def _candidate(one: Candidate, why: str) -> dict[str, Any]:
    return {"rep": one.rep, "why": why, "load": one.load, "limit": one.limit, "waited_since": one.last_at}
