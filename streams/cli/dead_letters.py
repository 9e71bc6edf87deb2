"""The dead letters as a person works through them: each is open until it is replayed or dropped, once.

A resolution is a record in leads.dlq too, without a value: headers dlq_resolves ("partition/offset"),
dlq_resolution, dlq_by and dlq_why. It is written in one transaction with the replayed record, so a letter is replayed
once or not at all, whoever else tries: the transactional id fences the slower one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType

from confluent_kafka import KafkaError, KafkaException, Producer
from pydantic import ValidationError

from schemas.delivery import DeadLettered
from schemas.topics import TOPICS
from schemas.wire import headers_for
from streams.cli.failure import CommandFailed
from streams.cli.records import Record, partition_count, partitions_of, read, read_from
from streams.deadletter import PREFIX
from streams.errors import Fenced
from streams.kafka.config import ClusterSettings, producer_config, qualified
from streams.message import failure

REPLAYED_FROM = "dlq_replayed_from"
RESOLVES = "dlq_resolves"
_TYPE = "record.dead_lettered"
_INIT_SECONDS = 30.0
_TRANSACTIONAL_ID = "ops-dlq"


# What the letter says of itself where our headers are not on it.
_FOREIGN = "not written by leadstream: it does not say where it came from"


_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}
_DIGITS = 18  # of a place in a topic, at most: what Kafka counts in 64 bits


class NotReplayable(CommandFailed):
    """There is nothing to put back, now or later: the letter can only be dropped."""

    def __init__(self, letter: "Letter", why: str) -> None:
        super().__init__(
            f"Letter {letter.id} cannot be replayed: {why}.",
            f'leadstream dlq drop {letter.id} --reason "..." closes it.',
        )
        self.letter_id = letter.id
        self.why = why


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. topic, partition, offset: where it was read. key, value, headers: as they were there.

    is_pointer: the original was too long to be kept here and is still where it was. resolution: what became of it.
    """

    id: str
    at: datetime
    topic: str
    partition: int
    offset: int
    stage: str
    error: str
    reason: str
    attempts: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    is_pointer: bool
    resolution: str = ""

    @property
    def is_open(self) -> bool:
        return not self.resolution

    @property
    def has_origin(self) -> bool:
        """Whether it says which topic of ours it came from, so that it can go back."""
        return self.topic in TOPICS

    @property
    def state(self) -> str:
        return self.resolution or "open"

    @property
    def origin(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}" if self.topic else "unknown"


def letters(settings: ClusterSettings) -> list[Letter]:
    """Return all letters that are kept, oldest first, each with what became of it."""
    found: dict[str, Letter] = {}
    resolutions: dict[str, str] = {}
    for record in read(settings, "leads.dlq"):
        if resolves := record.header(RESOLVES):
            resolutions[resolves] = _resolution(record)
        else:
            letter = _letter(record)
            found[letter.id] = letter
    told = (replace(letter, resolution=resolutions.get(letter.id, "")) for letter in found.values())
    return sorted(told, key=lambda letter: (letter.at, letter.id))


class DeadLetters:
    """Resolves letters, each in a transaction. A context manager; `letters` is read after older ones are fenced."""

    def __init__(self, settings: ClusterSettings, by: str) -> None:
        self._settings = settings
        self._by = by
        self._partitions: dict[str, int] = {}
        self._producer = Producer(producer_config(settings, _TRANSACTIONAL_ID))
        self.letters: list[Letter] = []

    def __enter__(self) -> "DeadLetters":
        self._partition_count("leads.dlq")  # tells at once where no broker answers
        self._producer.init_transactions(_INIT_SECONDS)
        self.letters = letters(self._settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.flush(_INIT_SECONDS)

    def replay(self, letter: Letter) -> None:
        """Write the letter back to its topic and partition and close it. Raises CommandFailed, NotReplayable."""
        _require_open(letter)
        if not letter.has_origin:
            raise NotReplayable(letter, "it names no topic of leadstream")
        if letter.partition >= self._partition_count(letter.topic):
            raise NotReplayable(letter, f"{letter.topic} has no partition {letter.partition}")
        key, value, headers = _original(self._settings, letter) if letter.is_pointer else _kept(letter)
        with self._transaction(letter):
            self._producer.produce(
                qualified(self._settings.namespace, letter.topic),
                key=key,
                value=value,
                headers=[*headers, (REPLAYED_FROM, letter.id.encode())],
                partition=letter.partition,
            )
            self._resolve(letter, "replayed", "")

    def drop(self, letter: Letter, why: str) -> None:
        """Close the letter. why: kept with it. Raises CommandFailed if it is closed already."""
        _require_open(letter)
        with self._transaction(letter):
            self._resolve(letter, "dropped", why)

    def _partition_count(self, topic: str) -> int:
        if topic not in self._partitions:
            self._partitions[topic] = partitions_of(self._producer, self._settings, topic)
        return self._partitions[topic]

    @contextmanager
    def _transaction(self, letter: Letter) -> Iterator[None]:
        """Commit what the block produces. Raises NotReplayable where it is too large, CommandFailed where fenced."""
        self._producer.begin_transaction()
        try:
            yield
            self._producer.commit_transaction(-1)
        except KafkaException as error:
            if isinstance(failure(error.args[0], "closing a letter"), Fenced):
                what = "Somebody else has begun to replay or drop letters meanwhile."
                raise CommandFailed(what, "leadstream dlq list shows what is left; run it again then.") from error
            self._producer.abort_transaction(_INIT_SECONDS)
            # librdkafka counts on after what the broker refused, and the next record on that partition is one too far.
            self._producer = Producer(producer_config(self._settings, _TRANSACTIONAL_ID))
            self._producer.init_transactions(_INIT_SECONDS)
            if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                raise NotReplayable(letter, f"it is larger than {letter.topic} takes") from error
            raise

    def _resolve(self, letter: Letter, resolution: str, why: str) -> None:
        now = datetime.now(UTC)
        said = {RESOLVES: letter.id, PREFIX + "resolution": resolution, PREFIX + "by": self._by, PREFIX + "why": why}
        self._producer.produce(
            qualified(self._settings.namespace, "leads.dlq"),
            key=letter.key,
            value=None,
            headers=dict(headers_for(f"dlq/{letter.id}/{resolution}", _TYPE, "leadstream/ops", now, said)),
        )


def _require_open(letter: Letter) -> None:
    if not letter.is_open:
        raise CommandFailed(f"Letter {letter.id} is closed already: {letter.resolution}.", "Choose one that is open.")


def _kept(letter: Letter) -> tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]:
    return letter.key, letter.value, letter.headers


def _original(
    settings: ClusterSettings, letter: Letter
) -> tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]:
    try:
        pointer = DeadLettered.model_validate_json(letter.value or b"")
    except ValidationError:
        raise NotReplayable(letter, "it says that it points to its original, and does not say where that is") from None
    record = _at(settings, pointer)
    if record is None or record.offset != pointer.offset:
        where = f"{pointer.topic}/{pointer.partition}/{pointer.offset}"
        raise NotReplayable(letter, f"its original, {where}, is no longer kept")
    return record.key, record.value, record.headers


def _at(settings: ClusterSettings, pointer: DeadLettered) -> Record | None:
    """Return the first record at the place or behind it; None where the topic has no such place (it was made anew)."""
    if pointer.topic not in TOPICS or not 0 <= pointer.partition < partition_count(settings, pointer.topic):
        return None
    if not 0 <= pointer.offset < 10**_DIGITS:
        return None
    try:
        return next(read_from(settings, pointer.topic, {pointer.partition: pointer.offset}), None)
    except KafkaException as error:
        if error.args[0].code() in _GONE:
            return None
        raise


def _letter(record: Record) -> Letter:
    def said(name: str) -> str:
        return record.header(PREFIX + name)

    def number(name: str, default: int) -> int:
        text = said(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else default

    original = tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX))
    return Letter(
        f"{record.partition}/{record.offset}",
        record.at,
        said("topic"),
        number("partition", 0),
        number("offset", 0),
        said("stage"),
        said("error"),
        said("reason") or ("" if said("topic") else _FOREIGN),
        number("attempts", 1),
        record.key,
        record.value,
        original,
        said("pointer") == "true",
    )


def _resolution(record: Record) -> str:
    by, why = record.header(PREFIX + "by"), record.header(PREFIX + "why")
    what = f"{record.header(PREFIX + 'resolution')} by {by} at {record.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{what}: {why}" if why else what
