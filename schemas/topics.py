"""Every topic: key, partition group, clean-up and retention, in one place."""

from dataclasses import dataclass
from enum import StrEnum

DAY_SECONDS = 86_400


class KeyedBy(StrEnum):
    """What a topic's key is. Topics keyed alike have equal partition counts, so that one slot reads them together."""

    ANYTHING = "anything"
    PERSON = "person"
    DIVISION = "division"
    WAKER = "what wakes"
    REP = "rep"
    ACCOUNT = "account"
    POLICY = "policy"
    FOREIGN_ID = "foreign id"
    SOURCE = "what is read"
    DEVICE = "rep and device"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. retention_seconds None means compacted. types: CloudEvents types that it may carry."""

    name: str
    keyed_by: KeyedBy
    holds: str
    written_by: tuple[str, ...]
    types: tuple[str, ...] = ()
    retention_seconds: int | None = None
    ours: bool = True  # written by leadstream alone: a newer schema version pauses, it is no poison

    @property
    def is_compacted(self) -> bool:
        return self.retention_seconds is None


# A table's tombstones are readable for this long; a store that was not written for half of it is rebuilt.
DELETE_RETENTION_SECONDS = 7 * DAY_SECONDS

PARTITIONS: dict[KeyedBy, int] = {
    KeyedBy.ANYTHING: 6,
    KeyedBy.PERSON: 6,
    KeyedBy.DIVISION: 6,
    KeyedBy.WAKER: 6,
    KeyedBy.REP: 6,  # TRACK reads it beside leads.activity and leads.notified
    KeyedBy.ACCOUNT: 1,
    KeyedBy.POLICY: 1,
    KeyedBy.FOREIGN_ID: 1,
    KeyedBy.SOURCE: 1,
    KeyedBy.DEVICE: 1,
}

_D = DAY_SECONDS
_ALL = (
    Topic(
        "leads.raw", KeyedBy.ANYTHING, "a lead as it came", ("upstream", "intake"), ("lead.submitted",), 14 * _D, False
    ),
    Topic(
        "leads.bulk",
        KeyedBy.ANYTHING,
        "imported leads, read while the live lag is under one batch and later stages are not behind",
        ("import",),
        ("lead.submitted",),
        14 * _D,
        False,
    ),
    Topic(
        "leads.pending",
        KeyedBy.PERSON,
        "leads whose look-ups did not answer in the fast deadline",
        ("enrich", "timers"),
        ("lead.pending", "wake.up"),
        14 * _D,
    ),
    Topic(
        "leads.activity",
        KeyedBy.ANYTHING,
        "what people did",
        ("upstream", "intake", "timers"),
        ("activity.reported", "wake.up"),
        14 * _D,
        False,
    ),
    Topic(
        "leads.enriched",
        KeyedBy.PERSON,
        "complete, canonical leads and activity bound to its person",
        ("enrich", "pending", "track", "score", "timers"),
        ("lead.enriched", "activity.bound", "wake.up"),
        14 * _D,
    ),
    Topic(
        "leads.scored",
        KeyedBy.DIVISION,
        "all that a division decides on, in one order",
        ("score", "track", "timers", "ops"),
        ("lead.scored", "activity.bound", "rep.changed", "policy.activated", "delivery.settled", "wake.up"),
        30 * _D,
    ),
    Topic(
        "leads.assigned",
        KeyedBy.PERSON,
        "the decision and its trace, with what a notification needs",
        ("assign",),
        ("lead.decided",),
        30 * _D,
    ),
    Topic(
        "leads.notified",
        KeyedBy.PERSON,
        "one delivery result per channel and recipient",
        ("notify",),
        ("notice.settled",),
        30 * _D,
    ),
    Topic(
        "leads.redeliver",
        KeyedBy.PERSON,
        "deliveries due for another try, orders to send again; by recipient, notices for a digest",
        ("timers", "notify", "ops"),
        ("wake.up", "digest.item", "delivery.resend"),
        14 * _D,
    ),
    Topic(
        "decisions",
        KeyedBy.DIVISION,
        "the journal: inputs without contact, clock, versions, outcomes, digest",
        ("assign",),
        ("decisions.journalled",),
        400 * _D,
    ),
    Topic(
        "leads.timers",
        KeyedBy.WAKER,
        "the one pending wake-up of a lead, pool or delivery, or its tombstone",
        ("enrich", "pending", "track", "score", "assign", "notify", "timers"),
        ("timer.armed",),
    ),
    Topic("reps", KeyedBy.REP, "the roster", ("crm", "cli", "intake"), ("rep.put",), None, False),
    Topic("accounts", KeyedBy.ACCOUNT, "accounts by domain", ("crm", "cli", "intake"), ("account.put",), None, False),
    Topic(
        "policies",
        KeyedBy.POLICY,
        "policy bodies by hash, and one pointer a division",
        ("ops",),
        ("policy.body", "policy.pointer"),
        None,
        False,
    ),
    Topic("xref", KeyedBy.FOREIGN_ID, "foreign ids to lead ids", ("notify", "crm"), ("xref.put",)),
    Topic(
        "bookmarks",
        KeyedBy.SOURCE,
        "how far each outside system has been read",
        ("crm",),
        ("bookmark.put",),
    ),
    Topic(
        "suppressions",
        KeyedBy.PERSON,
        "persons who want no automatic mail",
        ("intake",),
        ("suppression.put",),
    ),
    Topic(
        "devices",
        KeyedBy.DEVICE,
        "browsers that reps are pushed to, until they say that they are gone",
        ("cli", "notify"),
        ("device.put",),
    ),
    Topic("state.enrich", KeyedBy.ANYTHING, "changelog of ENRICH", ("enrich",)),
    Topic("state.pending", KeyedBy.PERSON, "changelog of the pending consumer of ENRICH", ("pending",)),
    Topic("state.track", KeyedBy.ANYTHING, "changelog of TRACK", ("track",)),
    Topic("state.score", KeyedBy.PERSON, "changelog of SCORE", ("score",)),
    Topic("state.assign", KeyedBy.DIVISION, "changelog of ASSIGN", ("assign",)),
    Topic("state.notify", KeyedBy.PERSON, "changelog of NOTIFY", ("notify",)),
    Topic(
        "leads.dlq",
        KeyedBy.ANYTHING,
        "original bytes of what could not be handled; where and why in the headers",
        ("every stage",),
        ("record.dead_lettered",),
        14 * _D,
    ),
)

TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ALL}
