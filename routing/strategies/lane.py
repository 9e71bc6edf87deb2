"""The senior lane of hot leads and the floor that keeps juniors from starving (MOD-6, OPT-12)."""

from collections.abc import Mapping
from datetime import date, timedelta

from routing.pool_state import LANE_DAYS, LaneDay
from schemas.policy_pool import SeniorLane


def junior_is_due(lane: Mapping[str, LaneDay], today: date, plan: SeniorLane) -> bool:
    """Tell whether another hot lead for a senior would leave the others below their floor.

    lane: day of the policy's zone -> leads. The floor is a share over `floor_days`; it binds from the `floor_from`-th
    such lead on, this one counted.
    """
    kept = recent(lane, today, plan.floor_days)
    leads = sum(day.all for day in kept.values()) + 1
    juniors = sum(day.junior for day in kept.values())
    return leads >= plan.floor_from and juniors * 100 < round(plan.junior_floor * 100) * leads


def recent(lane: Mapping[str, LaneDay], today: date, days: int = LANE_DAYS) -> dict[str, LaneDay]:
    """Return the last `days` days of `lane`, today the last."""
    oldest = (today - timedelta(days=days - 1)).isoformat()
    return {day: counts for day, counts in lane.items() if day >= oldest}


def counted(lane: Mapping[str, LaneDay], today: date, is_senior: bool) -> dict[str, LaneDay]:
    """Return `lane` with one more hot lead today."""
    kept = recent(lane, today)
    had = kept.get(today.isoformat(), LaneDay())
    kept[today.isoformat()] = LaneDay(had.all + 1, had.junior + (not is_senior))
    return kept
