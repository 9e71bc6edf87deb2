"""Which changes of a JSON Schema break somebody. Used by the test that holds schemas against the last release."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

Schema = Mapping[str, Any]


class Side(StrEnum):
    """Who must keep working. WRITTEN: readers of what we write; READ: writers of what we read."""

    WRITTEN = "written"
    READ = "read"


def breaking_changes(old: Schema, new: Schema, side: Side) -> tuple[str, ...]:
    """Return each breaking change as "path: what", in the order of the old schema.

    For what we write: a field gone, a type or value that readers never saw, a field no longer always there.
    For what we read: a type or value no longer taken, a field newly required, a field gone where closed.
    Both: a closed model that gains a field breaks readers that refuse unknown fields only on our own topics, and
    there the schema version rises with it; so an added optional field is no breaking change.
    """
    return tuple(_compare(old, new, old, new, side, "value", frozenset()))


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    name = str(reference).rsplit("/", 1)[-1]
    return root["$defs"][name]  # type: ignore[no-any-return]


def _compare(
    old: Schema, new: Schema, old_root: Schema, new_root: Schema, side: Side, path: str, seen: frozenset[str]
) -> Iterator[str]:
    reference = str(old.get("$ref", ""))
    if reference and reference in seen:
        return
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    seen = seen | {reference} if reference else seen
    yield from _types(old, new, side, path)
    yield from _enums(old, new, side, path)
    yield from _required(old, new, side, path)
    for name, was in old.get("properties", {}).items():
        now = new.get("properties", {}).get(name)
        if now is None:
            yield f"{path}.{name}: removed"
        else:
            yield from _compare(was, now, old_root, new_root, side, f"{path}.{name}", seen)
    if "items" in old and "items" in new:
        yield from _compare(old["items"], new["items"], old_root, new_root, side, f"{path}[]", seen)
    yield from _alternatives(old, new, old_root, new_root, side, path, seen)


def _alternatives(
    old: Schema, new: Schema, old_root: Schema, new_root: Schema, side: Side, path: str, seen: frozenset[str]
) -> Iterator[str]:
    old_objects = [row for row in old.get("anyOf", ()) if "$ref" in row or "items" in row]
    new_objects = [row for row in new.get("anyOf", ()) if "$ref" in row or "items" in row]
    for was, now in zip(old_objects, new_objects, strict=False):
        yield from _compare(was, now, old_root, new_root, side, path, seen)


def _type_set(schema: Schema) -> frozenset[str]:
    if "anyOf" in schema:
        return frozenset[str]().union(*(_type_set(row) for row in schema["anyOf"]))
    if "$ref" in schema:
        return frozenset({"object"})
    if "type" not in schema:
        return frozenset({"enum"} if "enum" in schema or "const" in schema else {"any"})
    return frozenset({str(schema["type"])})


def _types(old: Schema, new: Schema, side: Side, path: str) -> Iterator[str]:
    was, now = _type_set(old), _type_set(new)
    extra, gone = now - was, was - now
    if side is Side.WRITTEN and extra:
        yield f"{path}: may now be {', '.join(sorted(extra))}"
    if side is Side.READ and gone and "any" not in now:
        yield f"{path}: may no longer be {', '.join(sorted(gone))}"


def _enums(old: Schema, new: Schema, side: Side, path: str) -> Iterator[str]:
    was, now = set(old.get("enum", ())), set(new.get("enum", ()))
    if side is Side.WRITTEN and was and now - was:
        yield f"{path}: new values {', '.join(sorted(map(str, now - was)))}"
    if side is Side.READ and was - now and now:
        yield f"{path}: values no longer taken: {', '.join(sorted(map(str, was - now)))}"


def _required(old: Schema, new: Schema, side: Side, path: str) -> Iterator[str]:
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    if side is Side.WRITTEN:
        for name in sorted((was - now) & set(new.get("properties", {}))):
            yield f"{path}.{name}: no longer always there"
    else:
        for name in sorted(now - was):
            yield f"{path}.{name}: newly required"
