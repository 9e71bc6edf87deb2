"""A policy as a Mermaid flowchart, for a wiki (GOV-2): rules, where pools pass leads on to, and the ladder."""

from collections.abc import Iterator

from routing.condition_text import sentence
from routing.policy import Policy
from routing.policy_text import destination, step_text
from schemas.policy_file import Target, ToPool
from schemas.policy_pool import Pool


def flowchart(policy: Policy) -> str:
    """Return the rules from the lead down to the catch-all, then pools and ladder. Dotted: what happens later."""
    ids = {name: f"p{at}" for at, name in enumerate(policy.file.pools)}
    lines = ["flowchart TD", '  lead(["a lead arrives"]) --> r0', *_rules(policy, ids)]
    lines += (f'  {ids[name]}[["pool {_label(name)}"]]' for name in ids)
    lines += (line for name, pool in policy.file.pools.items() for line in _onwards(ids, name, pool))
    return "\n".join((*lines, *_ladder(policy))) + "\n"


def _rules(policy: Policy, ids: dict[str, str]) -> Iterator[str]:
    for at, rule in enumerate(policy.rules):
        target = _target(at, rule.rule.to, ids)
        if rule.condition is None:
            yield f'  r{at}["{_label(rule.rule.name)}"] --> {target}'
            return
        asked = _label(sentence(rule.condition.node))
        yield f'  r{at}{{"{_label(rule.rule.name)}<br/>{asked}?"}} -- yes --> {target}'
        yield f"  r{at} -- no --> r{at + 1}"


def _target(at: int, to: Target, ids: dict[str, str]) -> str:
    return ids[to.pool] if isinstance(to, ToPool) else f't{at}[["{_label(destination(to))}"]]'


def _onwards(ids: dict[str, str], name: str, pool: Pool) -> Iterator[str]:
    for other, why in (
        (pool.after_hours, "after hours"),
        (pool.overflow, "full or empty"),
        (pool.hands_to, "qualified"),
    ):
        if other is not None:
            yield f"  {ids[name]} -. {why} .-> {ids[other]}"


def _ladder(policy: Policy) -> Iterator[str]:
    """Yield the division's own ladder; those of single tiers and pools stand in the text."""
    before = "l"
    yield '  l(["nobody makes contact"])'
    for at, step in enumerate(policy.file.ladder):
        yield f'  {before} -.-> l{at}["{_label(step_text(step))}"]'
        before = f"l{at}"


def _label(text: str) -> str:
    """A text as Mermaid takes it between quotes."""
    for mark, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("\n", " ")):
        text = text.replace(mark, code)
    return text
