"""What providers are worth: one object a process, on a registry that is passed in (ENR-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from enrichment.coverage import Worth
from enrichment.guard import BreakerOpen
from enrichment.merge import NEEDED
from enrichment.providers.provider import Answer, Firmographics, ProviderBusy, ProviderDown, ProviderFailed
from enrichment.quota import QuotaSpent
from schemas.org import ProviderSettings

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)
_FAILURES: tuple[tuple[type[ProviderFailed], str], ...] = (
    (QuotaSpent, "quota"),
    (BreakerOpen, "breaker"),
    (ProviderBusy, "busy"),
    (ProviderDown, "down"),
    (ProviderFailed, "wrong"),
)
_NOT_TIMED = frozenset({"quota", "breaker"})  # nobody was asked
OUTCOMES = ("found", "empty", *(outcome for _, outcome in _FAILURES))


MOST_STEPS = 200  # of all forms together: their names come from outside
OTHER = "other"


class FormMetrics:
    """How far people get in forms of several steps (CAP-5). Past MOST_STEPS pairs a step counts as other."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Steps of forms that were reached; `final` is the submission. A step far below the one before: people leave
        # there, ask for less.
        self._steps = Counter(
            "leadstream_enrichment_form_steps_total", "Steps of forms reached.", ["form", "step"], registry=registry
        )
        self._known: set[tuple[str, str]] = set()

    def reached(self, form: str, step: str) -> None:
        """Count one step."""
        pair = (form, step)
        if pair not in self._known:
            if len(self._known) >= MOST_STEPS:
                pair = (OTHER, OTHER)
            else:
                self._known.add(pair)
        self._steps.labels(*pair).inc()


@dataclass(frozen=True, slots=True)
class _Series:
    """What is counted of one provider: looked up once, as finding a series by its labels costs more than counting."""

    answers: Mapping[str, Counter]
    fields: Mapping[str, Counter]
    seconds: Histogram
    calls: Counter
    cost: Counter


class ProviderMetrics:
    """A `guard.Watch`. Labels: provider (names of the org file), outcome, field (the four of ENR-1): closed sets."""

    def __init__(self, registry: CollectorRegistry, providers: Sequence[ProviderSettings]) -> None:
        self._prices = {row.name: (row.price_per_call, row.price_per_found) for row in providers}
        # Questions by what came of them. `empty` above a fifth of found and empty: the provider knows your market
        # badly. `down`, `wrong`: look at its status page, then its key. `quota`: buy more or ask it later in the order.
        self._answers = Counter(
            "leadstream_enrichment_answers_total",
            "Questions by outcome.",
            ["provider", "outcome"],
            registry=registry,
        )
        # Found companies that had the field. Over answers{outcome="found"} it is the fill rate; a fall such as 85% to
        # 70% is degradation: compare with another provider (`share`), then with its support.
        self._fields = Counter(
            "leadstream_enrichment_fields_total",
            "Found companies that had the field.",
            ["provider", "field"],
            registry=registry,
        )
        # Time to an answer or a failure, waits for its rate limit and the one retry included. p99 above the fast
        # deadline: those leads go by leads.pending; ask a faster provider first.
        self._seconds = Histogram(
            "leadstream_enrichment_lookup_seconds",
            "Time to an answer.",
            ["provider"],
            buckets=_SECONDS,
            registry=registry,
        )
        # Requests that went out, retries included. Far above answers: the provider breaks off and is asked twice.
        self._calls = Counter("leadstream_enrichment_calls_total", "Requests made.", ["provider"], registry=registry)
        # What it cost by the prices of the org file. Over committed leads it is the cost of a lead.
        self._cost = Counter(
            "leadstream_enrichment_cost_total", "Cost by the org file's prices.", ["provider"], registry=registry
        )
        # Share of found companies of the last seven days that had the field, over restarts, of this process's share.
        self._fill = Gauge(
            "leadstream_enrichment_fill_ratio", "Fill rate of seven days.", ["provider", "field"], registry=registry
        )
        # How far that is below the best week of the thirty days before. 0.1 and more: degradation; see
        # `leadstream enrichment report`, then the provider's status page.
        self._fall = Gauge(
            "leadstream_enrichment_fill_fall_ratio", "Fall of the fill rate.", ["provider", "field"], registry=registry
        )
        self._series = {name: self._started(name) for name in self._prices}

    def called(self, provider: str) -> None:
        series = self._series[provider]
        series.calls.inc()
        self._pay(series, self._prices[provider][0])

    def answered(self, provider: str, answer: Answer, seconds: float) -> None:
        series = self._series[provider]
        series.seconds.observe(seconds)
        if not isinstance(answer, Firmographics):
            series.answers["empty"].inc()
            return
        series.answers["found"].inc()
        self._pay(series, self._prices[provider][1])
        for name, filled in series.fields.items():
            if getattr(answer.company, name) is not None:
                filled.inc()

    def failed(self, provider: str, error: ProviderFailed, seconds: float) -> None:
        outcome = next(name for kind, name in _FAILURES if isinstance(error, kind))
        self._series[provider].answers[outcome].inc()
        if outcome not in _NOT_TIMED:
            self._series[provider].seconds.observe(seconds)

    def covered(self, found: Sequence[Worth]) -> None:
        """Show what providers are worth over the last weeks."""
        for one in found:
            for name, share in one.fill.items():
                self._fill.labels(one.provider, name).set(share)
            for name, share in one.fall.items():
                self._fall.labels(one.provider, name).set(share)

    def _pay(self, series: _Series, price: float) -> None:
        if price:  # most name none, and counting nothing costs as much
            series.cost.inc(price)

    def _started(self, provider: str) -> "_Series":
        """Show zeros from the start, so that a rate sees the first one."""
        return _Series(
            answers={outcome: self._answers.labels(provider, outcome) for outcome in OUTCOMES},
            fields={name: self._fields.labels(provider, name) for name in NEEDED},
            seconds=self._seconds.labels(provider),
            calls=self._calls.labels(provider),
            cost=self._cost.labels(provider),
        )
