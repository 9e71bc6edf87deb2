"""Every stage by name, built from settings, and the one entry to run a slot of it.

What only one stage needs is imported where that stage is built: a process of TRACK holds no CEL and no directory of
companies (docs/decisions/0053).
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter
from pydantic import ValidationError

from schemas.ids import person_id
from schemas.org import Org
from streams.clock import SteadyClock
from streams.fault import FaultPoint
from streams.logs import configure_logs
from streams.loop import Pace
from streams.runner import RunnerSettings, run
from streams.settings import Settings, SettingsError
from streams.stage import Stage
from streams.tables import Tables
from streams.tracing import Tracing, Within, untraced

if TYPE_CHECKING:
    from enrichment.metrics import ProviderMetrics
    from enrichment.waterfall import Waterfall
    from routing.policy import Policy

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a factory builds a stage from. slot_dir: a folder of the slot's own, for what it keeps beside stores.

    within: for spans of outside calls."""

    settings: Settings
    tables: Tables
    registry: CollectorRegistry
    slot_dir: Path
    clock: SteadyClock
    within: Within = untraced


def enrich(parts: Parts) -> Stage:
    """Build ENRICH."""
    from enrichment.metrics import FormMetrics
    from enrichment.opening import enrich_share
    from streams.stages.enrich import EnrichStage

    org, secret = org_of(parts.settings), parts.settings.person_key()
    share = enrich_share(org)
    watch = _provider_metrics(parts, org)
    waterfall = _waterfall(parts, org, share, watch)
    forms = FormMetrics(parts.registry)
    return EnrichStage(
        org, secret, parts.tables, waterfall, parts.clock.now, watch.covered, forms=forms, within=parts.within
    )


def pending(parts: Parts) -> Stage:
    """Build ENRICH's second consumer, of what slow providers hold up."""
    from enrichment.opening import pending_share
    from streams.stages.pending import PendingStage

    org = org_of(parts.settings)
    share = pending_share(org)
    waterfall = _waterfall(parts, org, share, _provider_metrics(parts, org))
    return PendingStage(org, parts.tables, waterfall, parts.clock.now, within=parts.within)


def track(parts: Parts) -> Stage:
    """Build TRACK."""
    from streams.stages.track import Track

    return Track(parts.tables, person_of_email(org_of(parts.settings), parts.settings.person_key()))


def score(parts: Parts) -> Stage:
    """Build SCORE."""
    from streams.stages.division import division_rules
    from streams.stages.score import DROPPED, Score

    # Events that SCORE set aside as of no effect: repeats, stale wake-ups, activity of people without a lead. A jump
    # of repeats: an upstream publishes again what it had published.
    dropped = Counter(
        "leadstream_streams_score_dropped_total", "Events without effect.", ["reason"], registry=parts.registry
    )
    for reason in DROPPED:
        dropped.labels(reason)
    return Score(parts.tables, division_rules(org_of(parts.settings)), lambda reason: dropped.labels(reason).inc())


def assign(parts: Parts) -> Stage:
    """Build ASSIGN."""
    from routing.policy import Policy
    from streams.stages.active_policy import ActivePolicies
    from streams.stages.assign import AssignStage
    from streams.stages.division_metrics import DivisionMetrics

    policies = ActivePolicies(parts.tables)

    def by_hash(name: str) -> "Policy | None":
        found = policies.under(name)
        return found if isinstance(found, Policy) else None

    return AssignStage(by_hash, DivisionMetrics(parts.registry))


def notify(parts: Parts) -> Stage:
    """Build NOTIFY."""
    from streams.stages.notify import build

    return build(parts.settings.channels, parts.tables, parts.slot_dir, parts.clock.now, parts.registry, parts.within)


STAGES: Mapping[str, Callable[[Parts], Stage]] = {
    "enrich": enrich,
    "pending": pending,
    "track": track,
    "score": score,
    "assign": assign,
    "notify": notify,
}
"""Name -> factory of every stage that the runner runs. TIMERS acts on time and METER only reads: both have a loop of
their own."""

TIMERS = "timers"
METER = "meter"
NAMES: tuple[str, ...] = (*STAGES, TIMERS, METER)

# A decision takes a millisecond, and so do its notices: 500 of them are half a second in which what came after waits,
# and 100 kB each while they are under way. At 100 the transaction is a tenth of the work in it.
# No lead waits for TRACK: what it reads within a fifth of a second goes in one transaction, and so in one of ASSIGN's.
# Of notices only those wait that come within a tenth of a second of others (docs/decisions/0276).
# ENRICH asks for the next batch while one waits for answers, so 250 are enough for slow providers too.
PACES: Mapping[str, Pace] = {
    "enrich": Pace(batch_limit=250),
    "assign": Pace(batch_limit=100),
    "notify": Pace(batch_limit=100, apart_seconds=0.1),
    "track": Pace(apart_seconds=0.2),
}
PORTS_A_STAGE = 10
FEED = "feed"  # no stage: it only reads, for receivers outside


class UnknownStage(SettingsError):
    """There is no such stage."""


def run_stage(name: str, slot: int, settings: Settings) -> int:
    """Run slot `slot` (from 0) of a stage in this process until it is asked to end; return the exit code.

    Raises UnknownStage, SettingsError, before anything is opened.
    """
    configure_logs(getattr(logging, settings.log_level.upper()))
    runner = runner_settings(name, slot, settings)
    log.info("settings.read", stage=name, slot=slot, **settings.redacted())
    registry = CollectorRegistry()
    if name == TIMERS:
        from streams.timers.slot import run as run_timers

        return run_timers(runner, registry)
    if name == METER:
        from streams.business.process import run as run_meter

        return run_meter(runner, registry)
    clock = SteadyClock()
    within = untraced if runner.tracing is None else runner.tracing.within
    factory = STAGES[name]
    slot_dir = runner.state_dir / (settings.namespace or "_") / f"{name}-{slot}"
    return run(
        name,
        lambda tables: factory(Parts(settings, tables, registry, slot_dir, clock, within)),
        runner,
        clock=clock,
        registry=registry,
    )


def runner_settings(name: str, slot: int, settings: Settings) -> RunnerSettings:
    """Return what the runner needs of the settings. Raises UnknownStage, SettingsError."""
    if name not in NAMES:
        raise UnknownStage(f"there is no stage {name!r}; there are {', '.join(NAMES)}")
    try:
        fault = FaultPoint.parse(settings.fault)
    except ValueError as error:
        raise SettingsError(f"LEADSTREAM_FAULT: {error}") from error
    return RunnerSettings(
        cluster=settings.cluster,
        slot=slot,
        state_dir=settings.state_dir,
        pace=PACES.get(name, Pace()),
        http_host=settings.http_host,
        http_port=http_port(name, slot, settings),
        fault=fault,
        tracing=Tracing(name, slot, settings.traces_url).take_in_libraries() if settings.traces_url else None,
    )


def http_port(name: str, slot: int, settings: Settings) -> int | None:
    """Return the port of a slot's health and metrics, None where the base is 0: base + 10 * stage + slot.

    The feed's are behind those of the stages. A port of the process's own goes first.
    """
    if settings.http_port is not None:
        return settings.http_port
    if settings.http_port_base == 0 or slot >= PORTS_A_STAGE:
        return None
    return settings.http_port_base + PORTS_A_STAGE * (*NAMES, FEED).index(name) + slot


def org_of(settings: Settings) -> Org:
    """Return the org file, or its defaults where none is named. Raises SettingsError."""
    if settings.org_file is None:
        return Org()
    import yaml

    try:
        return Org.model_validate(yaml.safe_load(settings.org_file.read_text()) or {})
    except (OSError, yaml.YAMLError) as error:
        what = getattr(error, "strerror", None) or f"it is no YAML ({error})"
        raise SettingsError(f"LEADSTREAM_ORG_FILE {settings.org_file}: {what}") from error
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
        raise SettingsError(f"LEADSTREAM_ORG_FILE {settings.org_file}: {said}") from error


def person_of_email(org: Org, secret: bytes) -> Callable[[str], str | None]:
    """Return address as written -> person id, None where it is no address."""
    from enrichment.normalise import mail

    rules = mail.mail_rules(org.mail)

    def person(email: str) -> str | None:
        box = mail.parse(email, rules)
        return person_id(secret, f"mail:{box.identity}") if box else None

    return person


def _provider_metrics(parts: Parts, org: Org) -> "ProviderMetrics":
    from enrichment.metrics import ProviderMetrics

    return ProviderMetrics(parts.registry, org.enrichment.providers)


def _waterfall(parts: Parts, org: Org, quota_share: float, watch: "ProviderMetrics") -> "Waterfall":
    from enrichment.opening import opened
    from enrichment.providers.pool import Pool
    from enrichment.providers.registry import Tools

    tools = Tools(parts.tables, lambda name: os.environ.get(name, ""), Pool())
    return opened(org, tools, parts.settings.person_key(), parts.clock.now, quota_share, watch)
