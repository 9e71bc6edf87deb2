"""What the stages of a stopped fleet kept, with the journal replayed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from routing.policy import compile_policy
from routing.replay import replay
from schemas.decision import JournalEntry
from streams.kafka.config import ClusterSettings
from tests.chaos.changelog import armed, changelogs, committed, folded, indexed, stored
from tests.chaos.evidence import Kept


def kept_by(
    cluster: ClusterSettings, state_dir: Path, policies: Sequence[str], stages: Sequence[str], slot: int = 0
) -> Kept:
    """Read changelogs, stores and journal. policies: the texts of all that were ever activated."""
    kept = Kept()
    for stage in stages:
        folder = state_dir / cluster.namespace / f"{stage}-{slot}"
        if stage == "timers":
            kept.folded[stage], kept.stored[stage] = armed(cluster), indexed(folder)
        elif changelogs(stage):
            kept.folded[stage], kept.stored[stage] = folded(cluster, f"state.{stage}"), stored(folder)
    compiled = {policy.hash: policy for policy in map(compile_policy, policies)}
    for division in {policy.file.division for policy in compiled.values()}:
        entries = _Entries(cluster, division)
        kept.unlike += [one.event_id for one in replay(entries, compiled.get)]
        kept.replayed += entries.count
    return kept


class _Entries:
    """The journal of a division, entry by entry; `count` tells how many were given."""

    def __init__(self, cluster: ClusterSettings, division: str) -> None:
        self.count = 0
        self._cluster = cluster
        self._division = division

    def __iter__(self) -> Iterator[JournalEntry]:
        for record in committed(self._cluster, "decisions"):
            if (record.key() or b"").decode() == self._division:
                for row in orjson.loads(record.value() or b"{}")["entries"]:
                    self.count += 1
                    yield JournalEntry.model_validate(row)
