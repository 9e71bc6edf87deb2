"""What the intake knows beyond its own settings: how the outside signs, who is who, what was decided."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from notifiers.settings import ChannelSettings
from streams.intake.decisions import Decisions
from streams.intake.follower import Follower
from streams.intake.roster import Roster
from streams.kafka.config import ClusterSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """channels: holds the secrets that Slack, the CRM and the unsubscribe link sign with."""

    channels: ChannelSettings
    roster: Roster
    decisions: Decisions


@contextmanager
def open_desk(cluster: ClusterSettings, channels: ChannelSettings) -> Iterator[Desk]:
    """Keep a desk up to date for a block."""
    desk = Desk(channels, Roster(), Decisions())
    with Follower(cluster, desk.roster, desk.decisions):
        yield desk
