"""The generated pages of docs: events from the schemas, import columns and commands from the code.

`python -m streams.cli.reference DOCS` writes them; a test holds the committed ones against the code.
"""

import sys
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

import typer

from schemas.export import json_schema
from schemas.topics import PARTITIONS, TOPICS
from schemas.wire import MODELS, VERSIONS
from streams.cli.exit_code import ExitCode
from streams.cli.main import app
from streams.importer.columns import NAMES
from streams.intake.settings import IntakeSettings

_NOTE = "<!-- made by `python -m streams.cli.reference docs`; don't edit -->"
_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "a check failed, or what was asked for could not be done",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.UNREACHABLE: "Kafka does not answer",
    ExitCode.NOT_FOUND: "there is no such lead, rep, policy or record",
    ExitCode.SETTINGS: "a setting is missing or wrong",
    ExitCode.REFUSED: "the input has errors; nothing was written",
    ExitCode.BUG: "a fault of leadstream's own",
    ExitCode.INTERRUPTED: "Ctrl-C",
}

_EVENTS = """
# Topics and events

Every record is a CloudEvent in Kafka's binary mode: `ce_id`, `ce_type`, `ce_source`, `ce_time` and `ce_schemaversion`
(1 where absent) are headers, the value is JSON. Topic names carry the namespace in front, where one is set. The
partitioner is murmur2, as in the Java client.

| topic | key | partitions | kept | events | holds |
|---|---|---|---|---|---|"""
_IMPORT = """
# Import leads from a file

    leadstream leads import FILE --dry-run
    leadstream leads import FILE --system hubspot --set action=content

FILE is CSV (comma, semicolon, tab or bar; UTF-8 with or without mark, UTF-16, Windows-1252, Latin-1) or JSONL. Every
row goes to `leads.bulk`, which is read while live leads leave time for it. A row keeps its event id when it is
imported again, also from a file that has grown since. Rows that are no leads are listed with number and reason in
`FILE.rejected.csv`, and the exit code is 1. So are the lines after a quote that is not closed: they could be one row or
many, and none is guessed. A workbook, an empty file, and one in which no column says who a lead is are refused whole.

`--map "Their column=field"` says what a column is, `--map "Their column="` leaves it out. `--set field=value` is for
rows that lack the field. `--system salesforce` makes the ids in the file `salesforce:00Q…`. Columns that nobody knows
are kept as they are.

## Beside live leads

ENRICH reads `leads.bulk` while less than a batch of live leads waits, and after each batch of imported leads only
once the stages after it have handled what there is. So a live lead waits behind one batch of the import at most, 250
leads a slot of ENRICH, however long the file is; that many decisions, not a time, is what is promised. The order of
imported and live leads is that of their division's log: a hot lead doesn't pass what stands before it there. NOTIFY
sends urgent notices first. While a stage is away or live leads keep it behind, the import waits, and ENRICH says so
(`import.waits`).

## Column names that are known

Those of Salesforce, HubSpot, Dynamics 365, Zoho, Pipedrive and of lead forms. Case, spaces and punctuation don't
count. Of two columns for one field the first counts.

| field | also called |
|---|---|"""


def pages() -> dict[str, str]:
    """Return file name -> text of every generated page."""
    return {"events.md": _text(_events()), "import.md": _text(_import()), "cli.md": _text(_commands())}


def _text(lines: Iterator[str]) -> str:
    return "\n".join([_NOTE, *lines]) + "\n"


def _events() -> Iterator[str]:
    yield from _EVENTS.splitlines()
    for topic in TOPICS.values():
        kept = f"{topic.retention_seconds // 86_400} d" if topic.retention_seconds else "compacted"
        events = ", ".join(f"[{kind}](#{_anchor(kind)})" for kind in topic.types) or "-"
        count = PARTITIONS[topic.keyed_by]
        yield f"| `{topic.name}` | {topic.keyed_by.value} | {count} | {kept} | {events} | {topic.holds} |"
    for kind in MODELS:
        yield from _event(kind)


def _event(kind: str) -> Iterator[str]:
    schema = json_schema(kind)
    topics = ", ".join(f"`{topic.name}`" for topic in TOPICS.values() if kind in topic.types)
    yield from ("", f"## {kind}", "", f"Version {VERSIONS[kind]}. In {topics or 'no topic'}.", "")
    yield " ".join(str(schema.get("description", "")).split())
    yield from _fields(schema)
    for name, inner in schema.get("$defs", {}).items():
        if "properties" in inner:
            yield from ("", f"`{name}`: {' '.join(str(inner.get('description', '')).split())}")
            yield from _fields(inner)


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    required = schema.get("required", ())
    yield from ("", "| field | type | |", "|---|---|---|")
    for name, field in schema.get("properties", {}).items():
        said = " ".join(str(field.get("description", "")).split()).replace("|", "\\|")
        told = "; ".join(part for part in ("required" if name in required else "", said) if part)
        yield f"| `{name}` | {_type(field)} | {told} |"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(one) for one in field["anyOf"] if one.get("type") != "null"))
    if "allOf" in field:
        return _type(field["allOf"][0])
    if "const" in field or "enum" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", (field.get("const"),)))
    kind = str(field.get("type", "anything"))
    if kind == "array":
        inner = field.get("items", {})
        return f"list of {_type(inner)}" if inner else "list"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"map to {_type(inner)}" if isinstance(inner, dict) and inner else "object"
    return str(field.get("format", kind))


def _import() -> Iterator[str]:
    yield from _IMPORT.splitlines()
    for field, names in NAMES.items():
        yield f"| `{field}` | {', '.join(names)} |"


def _commands() -> Iterator[str]:
    yield from ("", "# Commands", "", "`leadstream COMMAND --help` says more. `--install-completion` completes them.")
    yield from ("All but those that stay take `--json`. `--bootstrap` and `--namespace` stand before the command.", "")
    root = typer.main.get_command(app)
    for path, command in _leaves(root, ()):
        lines: list[str] = [line.strip() for line in (command.help or "").strip().splitlines()]
        example = next((line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")), "")
        yield f"- `leadstream {' '.join(path)}`: {' '.join(lines[: lines.index('')] if '' in lines else lines[:1])}"
        yield f"  For example: `{example}`"
    yield from ("", "## Exit codes", "", "| code | meaning |", "|---|---|")
    yield from (f"| {code.value} | {meaning} |" for code, meaning in _MEANINGS.items())
    yield from ("", "## Settings of the intake", "", "| variable | default |", "|---|---|")
    for name, field in IntakeSettings.model_fields.items():
        yield f"| `LEADSTREAM_INTAKE_{name.upper()}` | {field.default if field.default not in (None, '') else '-'} |"
    yield from ("", *(f"    {line}".rstrip() for line in cleandoc(IntakeSettings.__doc__ or "").splitlines()[2:]))


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if path and (not children or getattr(command, "invoke_without_command", False)):
        yield path, command
    for name, child in (children or {}).items():
        yield from _leaves(child, (*path, name))


def _anchor(kind: str) -> str:
    return kind.replace(".", "")


if __name__ == "__main__":
    for file, text in pages().items():
        (Path(sys.argv[1]) / file).write_text(text)
