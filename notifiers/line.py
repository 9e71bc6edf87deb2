"""The lines of deliveries that wait for an account which takes nothing now: one wake-up a line, not one a delivery.

State, in the partition of the lead: `line/<lane>/<rank>/<decided at>/<key>` for each delivery that waits, the urgent
first; `lane/<lane>` while the line's one wake-up is armed. When it fires, the first `width` are tried; the width grows
while the lane takes them all, and is one while it takes none, so that an outage costs one call a wake-up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from yarl import URL

from notifiers.delivery import Ledger, Row
from notifiers.outcome import Attempt
from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Notice
from schemas.device import Device
from schemas.effects import Delete, Effect, Emit, Put, Wake
from schemas.state import StateView
from schemas.timer import WAKE_UP, WakeUp

LINE = "delivery/line/"
_WIDEST = 64
_TIERS = {"T1": 1, "T2": 2, "T3": 3}
SOONEST_SECONDS = 0.2
"""What is not taken for want of a place is asked about again so soon; a rate, a pause or a breaker say when."""
_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery in a line. place: its key in the state."""

    place: str
    ledger: str
    key: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is in a line. has_more: others wait behind them."""

    first: tuple[Waiting, ...]
    has_more: bool


def lane_of(row: Row, notice: Notice, devices: Sequence[Device], settings: ChannelSettings) -> str:
    """Return which account takes a delivery: "slack", or "webhook:<receiver>", "push:<host of the push service>"."""
    match row.channel:
        case "webhook":
            name = row.recipient if notice.audience is Audience.WEBHOOK else ""
            account = name if name in settings.webhooks else "default"
        case "push" if devices:
            account = URL(devices[0].endpoint).host or ""
        case _:
            return row.channel
    return f"{row.channel}:{quote(account, safe='')}"


def rank_of(notice: Notice, tier: str) -> tuple[int, int]:
    """Return what goes first: the urgent, then by tier."""
    return (0 if notice.urgent else 1, _TIERS.get(tier, 4))


def place_of(lane: str, rank: tuple[int, int], ledger: Ledger, row: Row) -> str:
    """Return the key in the state under which a delivery waits for its lane."""
    at = ledger.decision.at
    return f"line/{lane}/{rank[0]}{rank[1]}/{at:%Y%m%d%H%M%S%f}/{row.key}"


def has_line(state: StateView, lane: str) -> bool:
    """Tell whether others wait for the lane, so that what is not urgent queues up behind them."""
    return state.get(f"lane/{lane}") is not None


def lane_named(wake: WakeUp) -> str:
    """Return whose line a wake-up is for."""
    return str(wake.data["lane"])


def turn_of(state: StateView, wake: WakeUp) -> Turn:
    """Return who is tried now: the first of the line, one decision of a lead at a time, for they go out in order."""
    width = int(wake.data.get("width", 1))
    found: list[Waiting] = []
    ledger_of: dict[str, str] = {}
    has_more = False
    for place, name in state.scan(f"line/{lane_named(wake)}/"):
        if len(found) == width:
            has_more = True
            break
        ledger: Ledger | None = state.get(f"ledger/{name}")
        if ledger is None or ledger_of.setdefault(ledger.decision.lead_id, name) == name:
            found.append(Waiting(place, name, place.rsplit("/", 1)[-1]))
        else:
            has_more = True
    return Turn(tuple(found), has_more)


def is_waiting(ledger: Ledger | None, waiting: Waiting) -> bool:
    """Tell whether the ledger knows of the delivery's place; one that it does not know of is given up."""
    return ledger is not None and any(row.place == waiting.place and row.settled is None for row in ledger.rows)


def moved(before: Ledger, after: Ledger) -> Iterator[Effect]:
    """Yield the places that deliveries of a ledger took and left."""
    places = {row.key: row.place for row in before.rows if row.settled is None and row.place}
    for row in after.rows:
        place = row.place if row.settled is None else ""
        known = places.get(row.key, "")
        if known and known != place:
            yield Delete(known)
        if place and known != place:
            yield Put(place, after.id)


def armed(
    state: StateView, attempts: Mapping[str, Attempt], person: str, settings: ChannelSettings, now: datetime
) -> Iterator[Effect]:
    """Yield the wake-up of each line that begins with these attempts. person: a key of the partition."""
    lanes = {_lane_in(attempt.place): attempt for attempt in attempts.values() if attempt.place}
    for lane, attempt in lanes.items():
        if not has_line(state, lane):
            wait = attempt.after_seconds or settings.retry_first_seconds
            yield from _wake(lane, person, now + timedelta(seconds=max(wait, SOONEST_SECONDS)), 1)


def armed_again(
    state: StateView,
    wake: WakeUp,
    attempts: Mapping[str, Attempt],
    left: frozenset[str],
    has_more: bool,
    person: str,
    now: datetime,
) -> Iterator[Effect]:
    """Yield the line's next wake-up after these attempts; where nobody waits any more, its end.

    left: places that were given up meanwhile; `state` still has them. has_more: others wait behind those tried.
    """
    lane, width = lane_named(wake), int(wake.data.get("width", 1))
    back = [attempt for attempt in attempts.values() if attempt.place]
    taken = len(attempts) - len(back)
    wait = max(min((one.after_seconds or 0.0 for one in back), default=_IDLE_SECONDS), SOONEST_SECONDS)
    if not has_more and all(place in left for place, _ in state.scan(f"line/{lane}/")):
        yield Delete(f"lane/{lane}")
    elif left and (not back or (taken and wait <= SOONEST_SECONDS)):
        # At once, so not by way of TIMERS: a hop of its own would take most of the time that a line has to catch up.
        # Where some found no place in time, with as many as found one.
        data = {"lane": lane, "width": min(_WIDEST, taken if back else width * 4)}
        again = WakeUp(waker=wake.waker, due_at=now, fired_at=now, data=data)
        yield Emit("leads.redeliver", person, WAKE_UP, again, tag=f"line/{lane}")
    else:
        yield from _wake(lane, person, now + timedelta(seconds=wait), max(1, taken))


def _lane_in(place: str) -> str:
    return place.split("/", 2)[1]


def _wake(lane: str, person: str, at: datetime, width: int) -> Iterator[Effect]:
    yield Put(f"lane/{lane}", True)
    yield Wake(f"{LINE}{lane}/{person}", at, "leads.redeliver", person, {"lane": lane, "width": width})
