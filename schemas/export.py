"""The contracts as documents: one JSON Schema an event type, and AsyncAPI 3.0 over all topics.

`python -m schemas.export FOLDER` writes them; a test holds the committed ones against the models.
"""

import sys
from pathlib import Path
from typing import Any

import orjson

from schemas.policy_file import PolicyFile
from schemas.topics import TOPICS, Topic
from schemas.wire import MODELS, VERSIONS

_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "the same for the same input, for ever"},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "description": "leadstream/<stage>, or the writer's own"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_schemaversion": {"type": "string", "description": "1 where absent"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
    },
}


def json_schema(event_type: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one event type."""
    schema = MODELS[event_type].model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"leadstream:{event_type}:{VERSIONS[event_type]}",
        "x-version": VERSIONS[event_type],
        **schema,
    }


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file, so that editors complete it."""
    schema = PolicyFile.model_json_schema(mode="validation")
    for path, more in _SPELT.items():
        part: Any = schema
        for name in path:
            part = part[int(name)] if isinstance(part, list) else part[name]
        part.update(more)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "leadstream:policy", **schema}


_ZONE = {"pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$", "examples": ["Europe/Berlin", "America/New_York", "UTC"]}
_WALL = {"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", "examples": ["09:00"]}
_HOURS = ("$defs", "Hours", "properties")
_SPELT: dict[tuple[str, ...], dict[str, Any]] = {
    ("properties", "timezone"): _ZONE,
    (*_HOURS, "timezone"): _ZONE,
    (*_HOURS, "week", "additionalProperties", "items"): {"prefixItems": [_WALL, _WALL]},
    (*_HOURS, "holidays", "items"): {"pattern": "^[A-Za-z][A-Za-z_]*(-[^ ]+)?$", "examples": ["US", "DE-BY"]},
    ("$defs", "Step", "properties", "to", "anyOf", "0"): {"pattern": "^(manager$|pool:|queue:)"},
}
"""What the models check by hand and a schema can say: place in the schema -> how it is spelt there."""


def _channel(topic: Topic) -> dict[str, Any]:
    kept = "compacted" if topic.is_compacted else f"{topic.retention_seconds} seconds"
    return {
        "address": topic.name,
        "title": topic.holds,
        "description": f"Keyed by {topic.keyed_by.value}. Written by {', '.join(topic.written_by)}. Kept: {kept}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in topic.types},
    }


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of every topic that carries events."""
    carried = {name: topic for name, topic in TOPICS.items() if topic.types}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "leadstream",
            "version": "1",
            "description": "Topic names carry the namespace of the settings in front, where one is set.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic) for name, topic in carried.items()},
        "operations": {
            f"{'receive' if not topic.ours else 'send'}-{name}": {
                "action": "receive" if not topic.ours else "send",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name, topic in carried.items()
        },
        "components": {
            "messages": {
                name: {"name": name, "headers": _HEADERS, "payload": {"$ref": f"./schemas/{name}.json"}}
                for name in sorted({kind for topic in carried.values() for kind in topic.types})
            }
        },
    }


def documents() -> dict[str, bytes]:
    """Return relative path -> bytes of every exported document."""
    pretty = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    files = {f"schemas/{name}.json": orjson.dumps(json_schema(name), option=pretty) for name in sorted(MODELS)}
    files["policy.schema.json"] = orjson.dumps(policy_schema(), option=pretty)
    files["asyncapi.json"] = orjson.dumps(asyncapi(), option=pretty)
    return files


def write(folder: Path) -> None:
    """Write all documents below `folder`."""
    for name, body in documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
