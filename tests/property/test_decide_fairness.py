"""Laws of the rotation: within a lead of the exact share, no catch-up, no favour by name or order."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.property.rotation import Rotating

WEIGHTS = st.lists(st.integers(1, 400), min_size=1, max_size=12)
FEW = settings(max_examples=60, deadline=None)


def named(weights: list[int]) -> dict[str, int]:
    return {f"r{n}": weight for n, weight in enumerate(weights)}


# Their least common multiple is past what 64 bits hold, so places on the clock are rounded.
ROUNDED = [1, 1, 1, 39, 62, 74, 76, 269, 337, 400, 400, 400]
ROUNDED_FURTHER = [397, 389, 383, 379, 373, 367, 359, 353, 349, 347, 337, 331]


@FEW
@given(weights=WEIGHTS, leads=st.integers(1, 150))
@example(weights=ROUNDED, leads=110)
@example(weights=ROUNDED_FURTHER, leads=150)
def test_with_fixed_weights_nobody_is_ever_a_lead_from_the_exact_share(weights: list[int], leads: int) -> None:
    pool = Rotating()
    for _ in range(leads):
        pool.turn(named(weights))
        assert pool.furthest() < 1


@FEW
@given(size=st.integers(1, 15), leads=st.integers(1, 100))
def test_round_robin_gives_equal_turns(size: int, leads: int) -> None:
    pool = Rotating("round_robin")
    for _ in range(leads):
        pool.turn(named([100] * size))
        assert pool.furthest() < 1


@FEW
@given(weights=WEIGHTS, before=st.integers(0, 60), after=st.integers(1, 60))
def test_a_newcomer_starts_at_the_present_level(weights: list[int], before: int, after: int) -> None:
    pool = Rotating()
    for _ in range(before):
        pool.turn(named(weights))
    everyone = {**named(weights), "new": 100}
    for _ in range(after):
        pool.turn(everyone)
    assert abs(pool.given.get("new", 0) - pool.entitled["new"]) < 2


@FEW
@given(weights=st.lists(st.integers(1, 400), min_size=2, max_size=8), absent=st.integers(1, 60))
def test_who_was_away_gets_no_flood_on_return(weights: list[int], absent: int) -> None:
    pool = Rotating()
    reps = named(weights)
    for _ in range(12):
        pool.turn(reps)
    for _ in range(absent):
        pool.turn({rep: weight for rep, weight in reps.items() if rep != "r0"}, away=["r0"])
    had, entitled = pool.given.get("r0", 0), pool.entitled["r0"]
    for _ in range(30):
        pool.turn(reps)
    gained = pool.given.get("r0", 0) - had
    assert abs(gained - (pool.entitled["r0"] - entitled)) < 2


@FEW
@given(weights=WEIGHTS, leads=st.integers(1, 60), seed=st.randoms(use_true_random=False))
def test_the_order_of_the_roster_changes_nothing(weights: list[int], leads: int, seed: object) -> None:
    one, other = Rotating(), Rotating()
    reps = named(weights)
    for _ in range(leads):
        shuffled = list(reps.items())
        seed.shuffle(shuffled)  # type: ignore[attr-defined]
        assert one.turn(reps) == other.turn(dict(shuffled))


@FEW
@given(
    weights=st.lists(st.integers(1, 400), min_size=3, max_size=8),
    pattern=st.lists(st.integers(0, 7), min_size=1, max_size=80),
)
def test_turns_entitled_rest_while_a_rep_is_not_eligible(weights: list[int], pattern: list[int]) -> None:
    """Whoever is away at a turn is entitled to nothing of it, and is given nothing."""
    pool = Rotating()
    reps = named(weights)
    for place in pattern:
        away = [f"r{place}"] if place < len(weights) else []
        assert pool.turn(reps, away=away) not in away
