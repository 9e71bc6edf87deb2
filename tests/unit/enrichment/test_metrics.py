import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from enrichment.guard import Guarded, RetryBudget
from enrichment.metrics import OUTCOMES, ProviderMetrics
from enrichment.providers.provider import (
    Answer,
    Firmographics,
    NotFound,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    ProviderWrong,
    Query,
)
from enrichment.quota import HourlyQuota
from schemas.lead import Company
from schemas.org import ProviderSettings

NOW = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
ROW = ProviderSettings(
    name="one", kind="directory", price_per_call=0.01, price_per_found=0.1, breaker_failures=2, breaker_seconds=60
)


async def asked(
    registry: CollectorRegistry, script: list[Answer | ProviderFailed], quota: int | None = None, times: int = 1
) -> None:
    """Ask a guarded provider that answers from `script`, the last entry for ever."""

    async def lookup(query: Query, deadline: float) -> Answer:
        entry = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(entry, ProviderFailed):
            raise entry
        return entry

    watch = ProviderMetrics(registry, [ROW])
    one = Guarded(ROW, lookup, HourlyQuota(quota), RetryBudget(0.1, 0.0), 1.0, lambda: NOW, watch)
    for _ in range(times):
        try:
            await one.ask(Query(domain="acme.example"), asyncio.get_running_loop().time() + 60)
        except ProviderFailed:
            continue


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"leadstream_enrichment_{name}", {"provider": "one", **labels})


async def test_the_fill_rate_of_a_field_is_told_by_what_was_found() -> None:
    registry = CollectorRegistry()
    first, last = (Firmographics(Company(domain="acme.example", employees=5)), Firmographics(Company(name="A")))
    await asked(registry, [first, NotFound(), last], times=3)
    assert (value(registry, "answers_total", outcome="found"), value(registry, "answers_total", outcome="empty")) == (
        2,
        1,
    )
    told = {
        name: value(registry, "fields_total", field=name) for name in ("domain", "employees", "industry", "country")
    }
    assert told == {"domain": 1, "employees": 1, "industry": 0, "country": 0}
    assert value(registry, "lookup_seconds_count") == 3


async def test_cost_counts_requests_and_found_companies_by_their_price() -> None:
    registry = CollectorRegistry()
    await asked(registry, [Firmographics(Company(name="A")), NotFound()], times=4)
    assert value(registry, "calls_total") == 4
    assert value(registry, "cost_total") == pytest.approx(4 * 0.01 + 0.1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ProviderBusy(60), "busy"), (ProviderDown(), "down"), (ProviderWrong(), "wrong")],
    ids=["busy", "down", "wrong"],
)
async def test_a_failure_is_told_apart(error: ProviderFailed, outcome: str) -> None:
    registry = CollectorRegistry()
    await asked(registry, [error])
    assert value(registry, "answers_total", outcome=outcome) == 1


async def test_what_was_never_asked_costs_no_call_and_no_time() -> None:
    registry = CollectorRegistry()
    await asked(registry, [ProviderDown()], times=5)
    assert (value(registry, "answers_total", outcome="breaker"), value(registry, "calls_total")) == (3, 2)
    spent = CollectorRegistry()
    await asked(spent, [NotFound()], quota=1, times=3)
    assert (value(spent, "answers_total", outcome="quota"), value(spent, "lookup_seconds_count")) == (2, 1)


def test_all_label_values_are_there_from_the_start_and_named_in_the_docs() -> None:
    registry = CollectorRegistry()
    ProviderMetrics(registry, [ROW])
    told = {sample.labels.get("outcome") for family in registry.collect() for sample in family.samples}
    assert set(OUTCOMES) <= told
    docs = (Path(__file__).parents[3] / "docs" / "enrichment.md").read_text()
    for family in registry.collect():
        assert family.name in docs
