"""Whether a lead's owner was told: a pure fold of the outcomes of its notices, in whatever order they come."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.delivery import Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """told_at: the first notice ever that reached an owner. told_epoch, failed_epoch: the latest of each; 0: none."""

    told_at: datetime | None = None
    told_epoch: int = 0
    failed_epoch: int = 0

    def is_untold(self, epoch: int) -> bool:
        """Tell whether the owner of this epoch was not told: every channel failed, and none got through since."""
        return self.failed_epoch >= epoch > self.told_epoch


def after_notice(told: Told, said: Mapping[str, Any]) -> Told:
    """Return what is known with a NoticeSettled taken in, given as JSON data.

    Raises KeyError, TypeError or ValueError where `said` is none.
    """
    epoch = said["epoch"]
    if said.get("all_failed"):
        return replace(told, failed_epoch=max(told.failed_epoch, epoch))
    if said.get("is_first") and said["outcome"] == Outcome.DELIVERED.value:
        at = datetime.fromisoformat(said["at"])
        first = at if told.told_at is None else min(told.told_at, at)
        return replace(told, told_at=first, told_epoch=max(told.told_epoch, epoch))
    return told
