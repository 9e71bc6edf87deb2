"""What the world sends: leads (some of the same person, some sent twice, some unreadable) and what people did."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from confluent_kafka import KafkaError, Message, Producer

from streams.kafka.config import ClusterSettings, plain_producer_config, qualified
from tests.chaos.outside import COMPANIES

FLUSH_SECONDS = 120.0
SHARE_POISON = 0.01
SHARE_SENT_TWICE = 0.005
SHARE_SAME_PERSON = 0.1
SHARE_PERSONAL = 0.05
SHARE_BY_MAIL = 0.03  # activities that name a mail address, where there may be no lead yet

_DEEP = b"[" * 20_000 + b"]" * 20_000
UNREADABLE: Mapping[str, tuple[bytes, Mapping[str, str]]] = {
    "not UTF-8": (b'{"email": "\xff\xfe"}', {}),
    "truncated": (b'{"email": "a@b.com", "action": ', {}),
    "a list": (b'[{"email": "a@b.com"}]', {}),
    "a text": (b'"a@b.com"', {}),
    "a number": (b"42", {}),
    "no number": (b'{"employees": NaN}', {}),
    "empty": (b"", {}),
    "blank": (b" \n ", {}),
    "nested": (b'{"answers": ' + _DEEP + b"}", {}),
    "newer schema": (b'{"email": "a@b.com"}', {"ce_schemaversion": "99"}),
    "schema without number": (b'{"email": "a@b.com"}', {"ce_schemaversion": "new"}),
    "type of another topic": (b'{"email": "a@b.com"}', {"ce_type": "lead.scored"}),
}
"""Twelve ways to be no lead: value and headers."""


@dataclass(slots=True)
class Sent:
    """What was acknowledged. leads: event id -> times sent. poison: (partition, offset) -> bytes, of leads.raw.

    activities: ids of those that name a lead; by_mail: of those that name an address. last: (topic, partition) -> the
    last offset acknowledged.
    """

    leads: dict[str, int] = field(default_factory=dict)
    poison: dict[tuple[int, int], bytes] = field(default_factory=dict)
    activities: set[str] = field(default_factory=set)
    by_mail: set[str] = field(default_factory=set)
    last: dict[tuple[str, int], int] = field(default_factory=dict)


class Upstream:
    """Writes to leads.raw and leads.activity as other systems would: one idempotent producer, acknowledged."""

    def __init__(self, cluster: ClusterSettings, seed: int) -> None:
        self.sent = Sent()
        self._namespace = cluster.namespace
        self._producer = Producer(plain_producer_config(cluster) | {"linger.ms": 5})
        self._random = random.Random(seed)
        self._people: list[dict[str, Any]] = []
        self._refused: list[KafkaError] = []
        self._lock = threading.Lock()  # leads and activities come from two threads

    def send_leads(self, count: int, per_second: float, on_sent: Callable[[int], None] = lambda _: None) -> None:
        """Write `count` leads, and the unreadable ones among them, at most so many a second."""
        started = time.monotonic()
        for number in range(count):
            with self._lock:
                self._lead(number)
                if self._random.random() < SHARE_POISON:
                    self._poison()
            on_sent(number + 1)
            ahead = (number + 1) / per_second - (time.monotonic() - started)
            if ahead > 0.02:
                time.sleep(ahead)
        self.flush()

    def report(self, lead_id: str, kind: str, rep: str, number: int) -> None:
        """Write that `rep` did something with a lead."""
        with self._lock:
            event_id = f"activity-{number}"
            value = {"id": event_id, "kind": kind, "lead_id": lead_id, "rep": rep, "at": _now()}
            self._write("leads.activity", f"a{number}", event_id, value, lambda: self.sent.activities.add(event_id))

    def flush(self) -> None:
        """Wait until all is acknowledged. Raises AssertionError where something was not."""
        waiting = self._producer.flush(FLUSH_SECONDS)
        assert not waiting and not self._refused, f"{waiting} not acknowledged, refused: {self._refused[:3]}"

    def _lead(self, number: int) -> None:
        event_id = f"lead-{number}"
        if self._people and self._random.random() < SHARE_SAME_PERSON:
            who = self._random.choice(self._people[-1_000:])
        else:
            who = self._person(number)
            self._people.append(who)
        value = {**who, "action": self._action(), "source": "web", "submitted_at": _now()}
        times = 2 if self._random.random() < SHARE_SENT_TWICE else 1
        for _ in range(times):
            self._write(
                "leads.raw", f"k{self._random.randrange(1_000)}", event_id, value, lambda: self._count(event_id)
            )
        if self._random.random() < SHARE_BY_MAIL:
            self._called(number, str(who["email"]))

    def _called(self, number: int, email: str) -> None:
        event_id = f"by-mail-{number}"
        value = {"id": event_id, "kind": "called", "email": email, "at": _now()}
        self._write("leads.activity", f"m{number}", event_id, value, lambda: self.sent.by_mail.add(event_id))

    def _person(self, number: int) -> dict[str, Any]:
        company = self._random.randrange(COMPANIES)
        is_personal = self._random.random() < SHARE_PERSONAL
        host = "gmail.com" if is_personal else f"acme-{company}-labs.com"
        return {
            "email": f"p{number}@{host}",
            "name": f"Pat Person{number}",
            "company": None if is_personal else f"Acme {company}",
            "employees": self._random.choice((10, 60, 120, 300, 2_000)),
            "country": self._random.choice(("US", "US", "DE")),
            "industry": "saas",
        }

    def _action(self) -> str:
        return self._random.choices(("demo", "webinar", "newsletter"), (12, 18, 70))[0]

    def _poison(self) -> None:
        value, headers = self._random.choice(list(UNREADABLE.values()))
        self._produce("leads.raw", f"k{self._random.randrange(1_000)}", value, dict(headers), self._poisoned(value))

    def _poisoned(self, value: bytes) -> Callable[[Message], None]:
        def note(message: Message) -> None:
            self.sent.poison[_spot(message)] = value

        return note

    def _count(self, event_id: str) -> None:
        self.sent.leads[event_id] = self.sent.leads.get(event_id, 0) + 1

    def _write(self, topic: str, key: str, event_id: str, value: Any, note: Callable[[], None]) -> None:
        self._produce(topic, key, orjson.dumps(value), {"ce_id": event_id}, lambda _: note())

    def _produce(
        self, topic: str, key: str, value: bytes, headers: dict[str, str], note: Callable[[Message], None]
    ) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._refused.append(error)
                return
            partition, offset = _spot(message)
            self.sent.last[topic, partition] = max(offset, self.sent.last.get((topic, partition), -1))
            note(message)

        for _ in self._attempts():
            try:
                self._producer.produce(
                    qualified(self._namespace, topic), value, key, headers=dict(headers), on_delivery=delivered
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def _attempts(self) -> Iterator[int]:
        yield from range(600)
        raise AssertionError("the producer's queue did not empty in a minute")


def _spot(message: Message) -> tuple[int, int]:
    partition, offset = message.partition(), message.offset()
    assert partition is not None and offset is not None
    return partition, offset


def _now() -> str:
    return datetime.now(UTC).isoformat()
