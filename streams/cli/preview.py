"""The state that a preview decides on: a division's as it is now, read from ASSIGN's changelog, or a roster file's."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from routing.decide import DecisionInput, decide
from routing.division import Division, division_key
from routing.policy import Policy
from routing.replay import Memory
from schemas.policy import PolicyActivated
from schemas.region import region_of
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, not_found, refused
from streams.cli.records import partition_count, read
from streams.kafka.config import ClusterSettings
from streams.kafka.murmur2 import partition_of
from streams.stages.assign import KINDS

_CHANGELOG = "state.assign"


def division_now(cluster: ClusterSettings, division: str) -> Memory:
    """Return the division's roster, pools and turns as ASSIGN last committed them; no lead and no contact is kept.

    Raises CommandFailed where the division has decided nothing yet.
    """
    state = Memory()
    partition = partition_of(division.encode(), partition_count(cluster, _CHANGELOG))
    for record in read(cluster, _CHANGELOG, (partition,)):
        key = record.key_text
        kind, _, rest = key.partition("/")
        if kind not in KINDS or not KINDS[kind].resident or rest.split("/", 1)[0] != division:
            continue
        if record.value is None:
            state.values.pop(key, None)
        else:
            state.values[key] = KINDS[kind].decode(record.value)
    if division_key(division) not in state.values:
        fix = "leadstream policy history shows what is active; --policy FILE --roster FILE needs no cluster."
        raise not_found(f"Division {division} has decided nothing yet.", fix)
    return state


def active_in(state: Memory, division: str) -> str | None:
    """Return the hash of the policy that the division decides by."""
    known: Division = state.values[division_key(division)]
    return known.policy_hash


def activated(state: Memory, policy: Policy, now: datetime) -> Memory:
    """Return the state after an activation of another policy, in this copy alone."""
    value = PolicyActivated(division=policy.file.division, hash=policy.hash, by="preview", reason="preview", at=now)
    state.fold(decide(state, DecisionInput("preview/policy", value), policy, now))
    return state


def instant_of(text: str, option: str = "--at") -> datetime:
    """Return the instant that a person wrote, now for "". Raises CommandFailed where it is none or has no zone."""
    if not text:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        what = f"{option}: {text!r} is no instant."
        raise CommandFailed(what, "Write one such as 2026-03-14T02:00:00-05:00.", ExitCode.USAGE) from error
    if at.tzinfo is None:
        what = f"{option}: {text!r} has no zone."
        raise CommandFailed(what, "End it with Z or an offset such as -05:00.", ExitCode.USAGE)
    return at


def facts_of(pairs: Sequence[str]) -> dict[str, Any]:
    """Return name -> value of "name=value" pairs; values as YAML reads them, a country with its region.

    Raises CommandFailed.
    """
    facts: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise refused(f"{pair!r} is no fact.", "Write name=value, such as company.employees=600.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise refused(
                f"The value of {name} cannot be read.", "Quote it, such as 'company.name=\"A: B\"'."
            ) from error
        # YAML 1.1 takes NO for false; a place or word stays what was typed
        facts[name] = text if isinstance(value, bool) and text.lower() not in ("true", "false") else value
    country = facts.get("company.country")
    if isinstance(country, str) and "company.region" not in facts:
        facts["company.region"] = region_of(country)  # as enrichment has it for a lead that comes in
    return facts
