"""Decisions as they are made, for callers who wait for theirs."""

import asyncio
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import AwareDatetime, BaseModel

from schemas.decision import DecisionKind, OwnerKind
from schemas.poison import Poison

_SETTLING = frozenset(
    {
        DecisionKind.ASSIGNED,
        DecisionKind.REASSIGNED,
        DecisionKind.HELD,
        DecisionKind.QUEUED,
        DecisionKind.NURTURED,
        DecisionKind.QUARANTINED,
        DecisionKind.TOUCHED,
    }
)
MOST_KNOWN = 10_000
MOST_WAITING = 1_000


class Decided(BaseModel):
    """What was decided on a lead. owner: the rep's id; queue or pool: where it waits instead. No personal data."""

    lead_id: str
    decision_id: str
    kind: DecisionKind
    at: AwareDatetime
    tier: str
    owner_kind: OwnerKind
    owner: str | None = None
    queue: str | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    loop: asyncio.AbstractEventLoop
    found: "asyncio.Future[Decided]"


class Decisions:
    """The last `MOST_KNOWN` decisions by the event id of their lead, and who waits for one.

    One thread writes (`Follower`), the event loop asks. A lead that was decided more than a minute before the intake
    started, or very long ago, is not known: its caller waits in vain.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Decided] = OrderedDict()
        self._waiting: dict[str, list[_Waiting]] = {}

    def put(self, value: bytes) -> None:
        """Take a record of leads.assigned. One that is not the outcome of a submission is passed over.

        Raises Poison for what is no decision.
        """
        try:
            record: dict[str, Any] = orjson.loads(value)
            if record["kind"] not in _SETTLING:
                return
            event_id, decided = str(record["lead"]["event_id"]), _decided(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # whatever JSON can be in place of another
            raise Poison("no decision") from error
        with self._lock:
            self._known[event_id] = decided
            self._known.move_to_end(event_id)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
            waiting = self._waiting.pop(event_id, [])
        for one in waiting:
            if not one.loop.is_closed():
                one.loop.call_soon_threadsafe(_settle, one.found, decided)

    async def on(self, event_id: str, seconds: float) -> Decided | None:
        """Return the decision on the lead of `event_id`, None if there is none after `seconds`, or too many wait."""
        loop = asyncio.get_running_loop()
        mine = _Waiting(loop, loop.create_future())
        with self._lock:
            known = self._known.get(event_id)
            if known is not None:
                return known
            if len(self._waiting) >= MOST_WAITING:
                return None
            self._waiting.setdefault(event_id, []).append(mine)
        try:
            async with asyncio.timeout(seconds):
                return await mine.found
        except TimeoutError:
            return None
        finally:
            self._leave(event_id, mine)

    def _leave(self, event_id: str, mine: _Waiting) -> None:
        with self._lock:
            left = [one for one in self._waiting.get(event_id, ()) if one is not mine]
            if left:
                self._waiting[event_id] = left
            else:
                self._waiting.pop(event_id, None)


def _settle(found: "asyncio.Future[Decided]", decided: Decided) -> None:
    if not found.done():
        found.set_result(decided)


def _decided(record: dict[str, Any]) -> Decided:
    owner = record["owner"]
    return Decided(
        lead_id=record["lead_id"],
        decision_id=record["decision_id"],
        kind=DecisionKind(record["kind"]),
        at=datetime.fromisoformat(record["at"]),
        tier=record["tier"],
        owner_kind=OwnerKind(owner.get("kind", "none")),
        owner=owner.get("id"),
        queue=owner.get("queue"),
        pool=owner.get("pool"),
    )
