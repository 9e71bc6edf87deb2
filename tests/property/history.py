"""A division's log as it may come: drawn at random, played over the decision, and told apart by its bytes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import yaml
from hypothesis import strategies as st

from routing.policy import compile_policy
from schemas.activity import ActivityKind
from schemas.rep import Rep
from schemas.wire import encode
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World, at

Move = tuple[str, int, int]  # what happens, to which of those that there are, after how many minutes

LEADS = ("lead",) * 6 + ("touch",)
ACTS = {
    "call": ActivityKind.CALLED,
    "decline": ActivityKind.DECLINED,
    "win": ActivityKind.WON,
    "disqualify": ActivityKind.DISQUALIFIED,
    "stage": ActivityKind.STAGE_CHANGED,
    "by hand": ActivityKind.REASSIGNED,
}
OTHERS = ("deal", "leave", "return", "policy", "seal")
LONG = 60  # minutes
REPS = ("E1", "E2", "M1", "M2", "M3", "S1", "Q1")
SIZES = (5000, 450, 450, 120, None, 20)
ACTIONS = ("demo", "webinar", "content", "newsletter")


def moves(
    least: int = 8, most: int = 30, minutes: Sequence[int] = (0, 0, 1, 4, 20, 90)
) -> st.SearchStrategy[list[Move]]:
    """Return logs of so many moves, each so many minutes after the one before."""
    what = st.sampled_from([*LEADS, *ACTS, *OTHERS])
    return st.lists(st.tuples(what, st.integers(0, 99), st.sampled_from(list(minutes))), min_size=least, max_size=most)


def _hasty() -> str:
    file = yaml.safe_load(DEFAULT)
    file.pop("examples")
    file["tiers"]["T2"]["contact_within"] = "20m"
    return yaml.safe_dump(file, sort_keys=False)


POLICIES = (compile_policy(DEFAULT), compile_policy(_hasty()))


def played(log: Iterable[Move], world: World | None = None) -> World:
    """Play a log over the Setup of the worked examples, or over the world given."""
    world = world or World(loads={"M1": 39.0, "M2": 39.5, "M3": 19.5})
    now, leads, touches = max(at("14:14"), world.now), list[str](), Counter[int]()
    for number, (what, which, minutes) in enumerate(log):
        if minutes > LONG:  # else hot leads that nobody calls would be reminded of every five minutes all the while
            _all_are_called(world, leads, now + timedelta(minutes=LONG))
        now += timedelta(minutes=minutes)
        world.until(now)
        rep = REPS[which % len(REPS)]
        if what in LEADS:
            again = what == "touch" and leads
            person = which % len(leads) if again else len(leads)
            touches[person] += 1
            arrival = Arrival(
                f"c{which}.example",
                SIZES[which % len(SIZES)],
                action=ACTIONS[which % len(ACTIONS)],
                when=now,
                account=ACME if which % 10 == 0 else None,
                who=f"{person:032x}",
                touch=touches[person],
                is_test=which % 17 == 0 and not again,
            )
            lead = world.arrives(arrival).lead_id
            if not again:
                leads.append(lead)
        elif what in ACTS and leads:
            more = {"to": rep, "by": "MM", "reason": "language"} if what == "by hand" else {}
            more |= {"stage": ("early", "mid", "late")[which % 3]} if what == "stage" else {}
            world.does(ACTS[what], leads[which % len(leads)], rep, now, **more)
        elif what == "deal":
            world.opportunity(rep, f"deal-{which % 7}", ("early", "late", "closed")[which % 3], now)
        elif what in ("leave", "return"):
            world.roster(here(rep, what == "return"), now)
        elif what == "policy":
            world.activate(POLICIES[number % 2], now)
        elif what == "seal":
            world.seal()
    return world


def _all_are_called(world: World, leads: list[str], when: datetime) -> None:
    for lead in leads:
        found = world.state.get(f"lead/{lead}")
        if found is not None and found.contacted_at is None:
            world.does(ActivityKind.CALLED, lead, found.owner.id, when)


def here(rep: str, is_here: bool) -> Rep:
    """Return the roster's entry of a rep who is here, or sick."""
    return ROSTER[rep][0].model_copy(update={"status": "available" if is_here else "sick"})


def digest_of(world: World) -> str:
    """Return what tells two plays apart: every decision's bytes, the journal's digest, and the whole state."""
    world.seal()
    told = hashlib.sha256()
    for decision in world.decisions:
        told.update(encode(decision) or b"")
    told.update(world.journal[-1].digest.encode() if world.journal else b"")
    for key in sorted(world.state.values):
        told.update(key.encode() + (encode(world.state.values[key]) or b""))
    return told.hexdigest()
