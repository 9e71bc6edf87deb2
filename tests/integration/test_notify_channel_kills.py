"""A small run of `python -m tests.chaos.notify --kills`: one kill a channel, around its call."""

from pathlib import Path

from streams.kafka.config import ClusterSettings
from tests.chaos.notify.kills import CHANNELS, kills


async def test_a_kill_around_each_channel_s_call_doubles_nothing_unmarked(
    topics: ClusterSettings, tmp_path: Path
) -> None:
    said: list[str] = []
    found = await kills(topics, len(CHANNELS), tmp_path, said.append)
    assert found.broken == [], found
    assert len(said) == len(CHANNELS)
