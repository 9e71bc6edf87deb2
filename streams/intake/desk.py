"""What the intake knows beyond its own settings: how the outside signs, who is who, what was decided."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from notifiers.settings import ChannelSettings
from streams.intake.decisions import Decisions
from streams.intake.follower import Follower
from streams.intake.forms.source import Form
from streams.intake.guides.router import Guides
from streams.intake.roster import Roster
from streams.kafka.config import ClusterSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """channels: holds the secrets that Slack, the CRM and the unsubscribe link sign with. forms: those that call us.

    guides: forms that ask what to ask next; None: there are none.
    """

    channels: ChannelSettings
    roster: Roster
    decisions: Decisions
    forms: Mapping[str, Form] = field(default_factory=dict)
    guides: Guides | None = None


@contextmanager
def open_desk(
    cluster: ClusterSettings,
    channels: ChannelSettings,
    forms: Mapping[str, Form] | None = None,
    guides: Guides | None = None,
) -> Iterator[Desk]:
    """Keep a desk up to date for a block."""
    desk = Desk(channels, Roster(), Decisions(), forms or {}, guides)
    with Follower(cluster, desk.roster, desk.decisions):
        yield desk
