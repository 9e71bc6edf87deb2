"""The differences between two policies in sentences: first who goes elsewhere, then what was set otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from routing.policy_diff import Changed, Moved, PolicyDiff

# Parts of the file whose entries have names of their own, and what one entry is called.
ENTRIES = {
    "rules": "rule",
    "pools": "pool",
    "queues": "queue",
    "segments": "segment",
    "tiers": "tier",
    "calendars": "calendar",
    "examples": "example",
    "notices": "notice",
}


def sentences(found: PolicyDiff) -> Iterator[str]:
    """Yield the differences line by line."""
    if found.moved:
        yield f"{_count(len(found.moved), 'kind')} of lead {'goes' if len(found.moved) == 1 else 'go'} elsewhere:"
        for moved in found.moved:
            yield from _moved(moved)
    else:
        yield "No kind of lead goes elsewhere."
    yield ""
    if found.changed:
        yield f"{_count(len(found.changed), 'setting')} {'differs' if len(found.changed) == 1 else 'differ'}:"
        yield from (f"- {_changed(changed)}" for changed in found.changed)
    else:
        yield "No setting differs."


def _moved(moved: Moved) -> Iterator[str]:
    yield f"- {moved.kind}:"
    yield f"    to {moved.after}, by rule {moved.rule_after!r}"
    yield f"    before: to {moved.before}, by rule {moved.rule_before!r}"


def _changed(changed: Changed) -> str:
    part, _, name = changed.path.partition(".")
    is_entry = changed.is_entry and part in ENTRIES
    if is_entry and changed.before is None and isinstance(changed.after, Mapping):
        return f"{ENTRIES[part]} {name!r} is new{_what_it_does(part, changed.after)}."
    if is_entry and changed.after is None and isinstance(changed.before, Mapping):
        return f"{ENTRIES[part]} {name!r} is gone{_what_it_does(part, changed.before)}."
    if changed.path.endswith(" (order)"):
        kept = [name for name in changed.after if name in changed.before]
        return f"the {part.removesuffix(' (order)')} stand in another order: {', '.join(map(repr, kept))}."
    return f"{changed.path}: {value_text(changed.after)}, before {value_text(changed.before)}."


def _what_it_does(part: str, entry: Mapping[str, Any]) -> str:
    if part != "rules":
        return ""
    when = f"when {entry['when']}, " if entry["when"] else "everything left "
    return f": {when}to {value_text(entry['to'])}"


def value_text(value: Any) -> str:
    """Return a value of the file in words: a list by commas, a mapping by its keys, what is not set as "none"."""
    if isinstance(value, Mapping):
        told = [f"{key} {value_text(each)}" for key, each in value.items() if each not in (None, "", [], {})]
        return ", ".join(told) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        mark = "; " if any(isinstance(each, Mapping) for each in value) else ", "
        return mark.join(value_text(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value) or "nothing"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
