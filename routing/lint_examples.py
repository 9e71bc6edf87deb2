"""The examples of a policy file: names that it does not have, facts that no lead has, nothing expected."""

from collections.abc import Iterator

from routing.catalogue import FactKind, kind_of
from routing.condition_checks import allowed_words, meant_fact
from routing.finding import Finding, Severity
from routing.policy import Policy
from routing.policy_errors import meant, place
from routing.policy_yaml import Path
from schemas.policy_file import Example

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
# Filled in from the other facts, so what an example says of them would count for nothing.
WORKED_OUT = ("intent", "icp", "segment", "tier", "treatment")


def example_findings(policy: Policy) -> Iterator[Finding]:
    """Yield what is wrong with examples, which only `policy test` would have met."""
    file = policy.file
    known = {
        "rule": tuple(rule.name for rule in file.rules),
        "tier": tuple(file.tiers),
        "segment": tuple(segment.name for segment in file.segments),
    }
    for at, example in enumerate(file.examples):
        here: Path = ("examples", at)
        for key, names in known.items():
            asked = getattr(example, key)
            if asked is not None and asked not in names:
                what = f"there is no {key} {asked!r}.{meant(asked, names)}"
                allowed = f"Known: {', '.join(names)}." if names and not meant(asked, names) else ""
                yield place(policy.document, (*here, key), _ERROR, f"{key}.unknown", what, allowed)
        if all(getattr(example, key) is None for key in ("to", *known)):
            what = f"example {example.name!r} expects nothing: it can never come out otherwise."
            yield place(policy.document, here, _ERROR, "example.empty", what, "Add rule, to, tier or segment.")
        yield from _facts(policy, here, example)


def _facts(policy: Policy, here: Path, example: Example) -> Iterator[Finding]:
    for name, value in example.facts.items():
        path = (*here, "facts", name)
        kind = kind_of(name)
        if name in WORKED_OUT:
            what = f"{name} is worked out by the policy: what is written here would count for nothing."
            allowed = (
                f"Write what it follows from; expect it as {name}: beside facts." if name in ("tier", "segment") else ""
            )
            yield place(policy.document, path, _ERROR, "example.worked_out", what, allowed)
        elif kind is None:
            what = f"{name} is no fact of a lead.{meant_fact(name)}"
            yield place(
                policy.document, path, _ERROR, "condition.fact", what, "The facts are listed in docs/policy.md."
            )
        elif not name.startswith("answers.") and not _is_of(kind, value):
            what = f"{value!r} is no {kind.value}, which {name} is."
            yield place(policy.document, path, _ERROR, "condition.kind", what, _HOW[kind])
        else:
            words = allowed_words(policy.file, name)
            if words and value not in words:
                what = f"{name} is never {value!r}.{meant(str(value), words)}"
                yield place(policy.document, path, _ERROR, "condition.word", what, f"Allowed: {', '.join(words)}.")


_HOW = {
    FactKind.NUMBER: "Write it without quotes.",
    FactKind.YES_NO: "Write true or false.",
    FactKind.WORDS: "Write a list: [one, two].",
    FactKind.WORD: "Write one word; a number in quotes.",
}


def _is_of(kind: FactKind, value: object) -> bool:
    if kind is FactKind.YES_NO:
        return isinstance(value, bool)
    if kind is FactKind.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, tuple if kind is FactKind.WORDS else str)
