"""The recipes of CONTRIBUTING.md, followed: one function, one line in a dict, and it works."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import orjson
import pytest

from enrichment.opening import opened
from enrichment.providers.pool import Pool
from enrichment.providers.provider import Answer, Firmographics, NotFound, Query
from enrichment.providers.registry import PROVIDERS, Tools
from notifiers.attempts import MemoryAttemptLog
from notifiers.channel import CHANNELS, Channel
from notifiers.courier import Courier, Parcel
from notifiers.message import Body, Message
from notifiers.outcome import Sent, Try
from notifiers.outside import Outside
from notifiers.settings import ChannelSettings
from routing.strategies.candidate import Candidate, Rank, Rotation, Strategy, own_weights
from routing.strategies.registry import STRATEGIES
from schemas.account import Account
from schemas.effects import Effect, Emit, Put
from schemas.lead import Company
from schemas.org import Org, ProviderSettings
from schemas.state import StateView
from streams.outbox import Outbox
from streams.stage import Context, Event, Handled, Kind, Stage
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from tests.property.rotation import Rotating

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)


async def lookup(query: Query, deadline: float) -> Answer:
    if query.domain != "acme.example":
        return NotFound()
    return Firmographics(Company(name="Acme", employees=5000))


class _NoAccounts:
    def get(self, table: str, key: str) -> None:
        return None

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, Account]]:
        return iter(())


async def test_a_provider_is_one_function_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "mine", lambda settings, tools: lookup)
    row = ProviderSettings.model_construct(
        **{**ProviderSettings(name="mine", kind="directory").__dict__, "kind": "mine"}
    )
    org = Org()
    enrichment = org.enrichment.model_copy(update={"providers": (row,)})
    tools = Tools(accounts=_NoAccounts(), secret_of=lambda name: "", pool=Pool())
    waterfall = opened(org.model_copy(update={"enrichment": enrichment}), tools, b"secret", lambda: NOW)
    learnt = await waterfall.ask(Query(domain="acme.example"), "acme.example", {}, deadline=1e12)
    assert [said.company for said in learnt.answers] == [Company(name="Acme", employees=5000)]


async def test_a_channel_is_one_function_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[str] = []

    async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
        arrived.append(f"{key}: {message.body.text}")
        return Sent()

    monkeypatch.setitem(CHANNELS, "mine", Channel(lambda: send, lambda settings: True, recognises_repeats=True))
    courier = Courier(ChannelSettings(), MemoryAttemptLog(), lambda: NOW)
    message = Message("l", "d", "p", "assignment", "owner", "r1", "r1", Body("subject", "hello"))
    attempts = await courier.deliver([Parcel("k", "mine", lambda: message, "chain")], (), 5.0)
    await courier.close()
    assert attempts["k"].result is Try.DELIVERED
    assert arrived == ["k: hello"]


def test_a_strategy_is_two_functions_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def most_room(candidates: Sequence[Candidate], rotation: Rotation) -> list[Rank]:
        return [(one.load - one.limit,) for one in candidates]

    monkeypatch.setitem(STRATEGIES, "mine", Strategy(own_weights, most_room, "most room first"))
    assert Rotating("mine").turn({"a": 100, "b": 100}, loads={"a": 500, "b": 200}) == "b"


class Counting:
    """A stage of one file: it counts a person's leads."""

    name = "score"
    inputs: tuple[str, ...] = ("leads.enriched",)
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = {"count": Kind(orjson.loads)}

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        return {}

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        count = (state.get(f"count/{event.key}") or 0) + 1
        return (Put(f"count/{event.key}", count), Emit("leads.scored", "main", "xref.put", {"count": count}))

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        return ()


def test_a_stage_is_one_class() -> None:
    stage: Stage = Counting()
    state, outbox = PartitionState(MemoryStore(), stage.kinds), Outbox(stage.name, "test")
    for place in range(2):
        event = Event(f"e{place}", "lead.enriched", "leads.enriched", 0, place, "ada", None, NOW, {})
        outbox.take(place, event, stage.handle(state, event, {}, NOW), NOW, state)
    assert state.get("count/ada") == 2
    assert len(list(outbox.records())) == 2
