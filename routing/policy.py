"""A policy, compiled: the file's model, its conditions as programs, and the hash that decisions name."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from pydantic import ValidationError

from routing.calendar.business_time import Calendar, calendar_of
from routing.condition_checks import condition_findings
from routing.conditions import Asked, Condition, ConditionInvalid, Part, asked, compile_condition
from routing.finding import Finding, Severity, Where, in_order
from routing.policy_checks import structure_findings
from routing.policy_errors import form_findings
from routing.policy_yaml import Document, Path, Unreadable, read
from routing.rulebook import Rulebook
from schemas.policy_file import PolicyFile, Rule, Segment, Tier, ToPool, ToQueue
from schemas.policy_pool import Strategy

HASH_DIGITS = 16

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its condition; None takes every lead. parts: places in `Policy.parts` of what must all hold."""

    rule: Rule
    condition: Condition | None
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CompiledTier:
    """A tier by name with its condition; None takes every lead."""

    name: str
    tier: Tier
    condition: Condition | None


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A policy that passed compilation. hash: 16 hex digits of SHA-256 of the text as written (UTF-8).

    conditions: CEL text -> compiled condition, for every condition of the file. parts: what rules ask, each once,
    however many rules ask it. rulebook: the rules, indexed by facts. bands: segments, largest first. intents: action ->
    intent. grading: the facts that ICP, tiers and scores ask for; routing: those that rules and pools ask for.
    asked_calendars: those that conditions ask about. Policies compare by hash.
    """

    hash: str
    text: str
    file: PolicyFile
    document: Document
    conditions: dict[str, Condition]
    rules: tuple[CompiledRule, ...]
    parts: tuple[Part, ...]
    rulebook: Rulebook
    tiers: tuple[CompiledTier, ...]
    icp: Condition | None
    bands: tuple[Segment, ...]
    intents: dict[str, str]
    grading: Asked
    routing: Asked
    asked_calendars: tuple[tuple[str, Calendar], ...]
    remembered: dict[Any, Any] = field(default_factory=dict, repr=False)  # of `once_a_policy`

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def catch_all(self) -> ToPool | ToQueue:
        """Where a lead goes that no rule took and no chain could place: the last rule's target."""
        target = self.file.rules[-1].to
        if isinstance(target, ToPool | ToQueue):
            return target
        raise AssertionError("compile_policy refuses other catch-alls")

    def tier(self, name: str) -> Tier:
        """Return a tier; of a name that this policy does not have (another one graded the lead), the last tier."""
        return self.file.tiers.get(name) or self.tiers[-1].tier


def once_a_policy(work: Callable[Concatenate[Policy, P], T]) -> Callable[Concatenate[Policy, P], T]:
    """Have what `work` finds out about a policy remembered with the policy, for as long as that lives.

    Further arguments: names of the policy, which bound how much that is. It never finds None.
    """

    def remembered(policy: Policy, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (work, args, *kwargs.items()) if kwargs else (work, args)
        found: T | None = policy.remembered.get(key)
        if found is None:
            found = policy.remembered[key] = work(policy, *args, **kwargs)
        return found

    return remembered


class PolicyInvalid(Exception):
    """The policy cannot be used; the findings say line, column, what is wrong and what is allowed."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def policy_hash(text: str) -> str:
    """Return the name of a policy's body: the first 16 hex digits of SHA-256 over the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def compile_policy(text: str) -> Policy:
    """Return the policy that a YAML text describes. Raises PolicyInvalid with every error that was found.

    What takes solving or the roster is left to `routing.lint.lint`.
    """
    try:
        document = read(text)
    except Unreadable as error:
        raise PolicyInvalid((error.finding,)) from error
    if not isinstance(document.data, dict):
        allowed = "A policy is a mapping with division, timezone, tiers, pools and rules."
        raise PolicyInvalid((Finding(Severity.ERROR, "file.empty", Where(1, 1), "this is no policy.", allowed),))
    try:
        file = PolicyFile.model_validate(document.data)
    except ValidationError as error:
        raise PolicyInvalid(in_order(form_findings(error, document))) from error
    conditions, findings = _compiled(file, document)
    findings += structure_findings(file, document)
    if findings:
        raise PolicyInvalid(in_order(findings))
    return _policy(text, file, document, conditions)


def condition_texts(file: PolicyFile) -> Iterator[tuple[Path, str]]:
    """Yield every condition of a policy with its place."""
    if file.icp is not None:
        yield ("icp",), file.icp
    for name, tier in file.tiers.items():
        if tier.when is not None:
            yield ("tiers", name, "when"), tier.when
    for at, points in enumerate(file.scoring.points):
        yield ("scoring", "points", at, "when"), points.when
    for name, pool in file.pools.items():
        for at, choice in enumerate(pool.strategies):
            yield ("pools", name, "strategies", at, "when"), choice.when
        for key, needs in (("require", pool.require), ("prefer", pool.prefer)):
            for at, need in enumerate(needs):
                if need.when is not None:
                    yield ("pools", name, key, at, "when"), need.when
        if Strategy.PERFORMANCE in (pool.strategy, *(choice.use for choice in pool.strategies)):
            yield ("pools", name, "performance", "when"), pool.performance.when
            yield ("pools", name, "performance", "coach_when"), pool.performance.coach_when
    for at, rule in enumerate(file.rules):
        if rule.when is not None:
            yield ("rules", at, "when"), rule.when


def _compiled(file: PolicyFile, document: Document) -> tuple[dict[str, Condition], list[Finding]]:
    conditions: dict[str, Condition] = {}
    findings: list[Finding] = []
    for path, text in condition_texts(file):
        try:
            condition = conditions.get(text) or compile_condition(text)
        except ConditionInvalid as error:
            where = document.inside(path, text, error.offset)
            findings.append(Finding(Severity.ERROR, "condition.syntax", where, f"{error.what}.", error.allowed))
            continue
        conditions[text] = condition
        findings += condition_findings(file, document, path, condition)
    return conditions, findings


def _policy(text: str, file: PolicyFile, document: Document, conditions: dict[str, Condition]) -> Policy:
    groups: dict[bool, list[str]] = {True: [], False: []}
    for path, condition in condition_texts(file):
        groups[path[0] in ("rules", "pools")] += conditions[condition].fields
    facts = [need.fact for pool in file.pools.values() for need in (*pool.require, *pool.prefer) if need.fact]
    calendars = sorted({name[9:] for names in groups.values() for name in names if name.startswith("calendar.")})
    rules, parts = _rules(file, conditions)
    return Policy(
        hash=policy_hash(text),
        text=text,
        file=file,
        document=document,
        conditions=conditions,
        rules=rules,
        parts=parts,
        rulebook=Rulebook([one.rule.name for one in rules], [one.parts for one in rules], parts),
        tiers=tuple(
            CompiledTier(name, tier, conditions[tier.when] if tier.when else None) for name, tier in file.tiers.items()
        ),
        icp=conditions[file.icp] if file.icp else None,
        bands=tuple(sorted(file.segments, key=lambda segment: -segment.start)),
        intents={action: intent for intent, actions in file.intent.items() for action in actions},
        grading=asked(groups[False]),
        routing=asked([*groups[True], *facts]),
        asked_calendars=tuple((name, calendar_of(file.calendars[name])) for name in calendars),
    )


def _rules(file: PolicyFile, conditions: dict[str, Condition]) -> tuple[tuple[CompiledRule, ...], tuple[Part, ...]]:
    parts: dict[str, Part] = {}
    compiled = []
    for rule in file.rules:
        condition = conditions[rule.when] if rule.when else None
        own = condition.parts if condition else ()
        for part in own:
            parts.setdefault(part.text, part)
        places = {name: at for at, name in enumerate(parts)}
        compiled.append(CompiledRule(rule, condition, tuple(places[part.text] for part in own)))
    return tuple(compiled), tuple(parts.values())
