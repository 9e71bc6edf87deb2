"""Records as a consumer gives them, made by hand."""

from dataclasses import dataclass, field

from confluent_kafka import KafkaError


@dataclass(slots=True)
class Made:
    """An `Incoming`. Attributes that clash with its methods have a trailing underscore."""

    topic_: str = "leads.raw"
    partition_: int = 0
    offset_: int = 0
    key_: bytes | None = b"k"
    value_: bytes | None = b"{}"
    headers_: list[tuple[str, bytes | None]] = field(default_factory=list)
    error_: KafkaError | None = None

    def topic(self) -> str:
        return self.topic_

    def partition(self) -> int:
        return self.partition_

    def offset(self) -> int:
        return self.offset_

    def key(self) -> bytes | None:
        return self.key_

    def value(self) -> bytes | None:
        return self.value_

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.headers_ or None

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000

    def error(self) -> KafkaError | None:
        return self.error_
