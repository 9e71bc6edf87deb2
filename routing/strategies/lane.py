"""The senior lane of hot leads and the floor that keeps juniors from starving (MOD-6, OPT-12)."""

from collections.abc import Mapping
from datetime import date, timedelta

from routing.pool_state import LANE_DAYS, LaneDay


def junior_is_due(lane: Mapping[str, LaneDay], today: date, floor_percent: int, checked_from: int) -> bool:
    """Tell whether another hot lead for a senior would leave the others below their floor.

    lane: UTC day -> leads. floor_percent: least share of non-seniors over 30 days; it binds from the
    `checked_from`-th such lead on, this one counted.
    """
    kept = recent(lane, today)
    leads = sum(day.all for day in kept.values()) + 1
    juniors = sum(day.junior for day in kept.values())
    return leads >= checked_from and juniors * 100 < floor_percent * leads


def recent(lane: Mapping[str, LaneDay], today: date) -> dict[str, LaneDay]:
    """Return the days of `lane` that are still looked at."""
    oldest = (today - timedelta(days=LANE_DAYS - 1)).isoformat()
    return {day: counts for day, counts in lane.items() if day >= oldest}


def counted(lane: Mapping[str, LaneDay], today: date, is_senior: bool) -> dict[str, LaneDay]:
    """Return `lane` with one more hot lead today."""
    kept = recent(lane, today)
    had = kept.get(today.isoformat(), LaneDay())
    kept[today.isoformat()] = LaneDay(had.all + 1, had.junior + (not is_senior))
    return kept
