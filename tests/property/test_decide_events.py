"""Laws of events: late, repeated and shuffled ones converge (EDG-6); nobody gets a lead off shift; bytes are bytes."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar.business_time import is_open
from routing.lead_state import LeadState, lead_key
from routing.rep_state import calendar_from, rep_key
from schemas.activity import ActivityKind
from schemas.decision import OwnerKind
from tests.worked.world import Arrival, World, at

ROOT = Path(__file__).parents[2]
SEEN = ((ActivityKind.CALLED, None), *((ActivityKind.STAGE_CHANGED, stage) for stage in ("mid", "late", "early")))

PLAY = """
from schemas.activity import ActivityKind
from tests.worked.world import Arrival, World, at
world = World()
cases = [(size, action) for size in (5000, 450, 80) for action in ("demo", "webinar")]
leads = [world.arrives(Arrival(employees=size, action=action)) for size, action in cases]
world.until(at("14:25"))
world.does(ActivityKind.CALLED, leads[1].lead_id, leads[1].owner.id, at("14:26"))
world.seal()
print(world.journal[-1].digest)
"""


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)), again=st.lists(st.integers(0, 3), max_size=4))
def test_activity_out_of_order_or_repeated_ends_in_the_same_state(order: list[int], again: list[int]) -> None:
    first = _after(range(4))
    assert _after([*order, *again]) == first


@settings(max_examples=40, deadline=None)
@given(hours=st.integers(0, 24 * 14), employees=st.sampled_from([80, 450, 5000]))
def test_a_hot_lead_goes_to_nobody_off_shift(hours: int, employees: int) -> None:
    world = World()
    decision = world.arrives(Arrival(employees=employees, when=at("00:00") + timedelta(hours=hours)))
    assert decision.tier == "T1"
    if decision.owner.kind is OwnerKind.REP:
        row = world.state.values[rep_key("main", decision.owner.id or "")].row
        assert is_open(calendar_from(row.hours), decision.at)


def test_the_same_log_gives_the_same_bytes_whatever_the_hash_seed_the_locale_and_the_zone() -> None:
    digests = {_played(PYTHONHASHSEED=seed, LC_ALL=locale, TZ=zone) for seed, locale, zone in ENVIRONMENTS}
    assert len(digests) == 1


ENVIRONMENTS = (("0", "C", "UTC"), ("4242", "C.UTF-8", "Asia/Kolkata"))


def _after(order: object) -> tuple[object, ...]:
    world = World()
    decision = world.arrives(Arrival(employees=450))
    rep = decision.owner.id or ""
    learned = at("14:18")
    for number in order:  # type: ignore[attr-defined]
        kind, stage = SEEN[number]
        when = at("14:15") + timedelta(seconds=20 * number)
        world.does(kind, decision.lead_id, rep, when, stage=stage, learned=learned)
    lead = world.state.get(lead_key(decision.lead_id))
    assert isinstance(lead, LeadState)
    return lead.contacted_at, lead.stage, lead.points, lead.owner, lead.epoch, lead.breach, world.load(rep)


def _played(**environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PLAY],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
