from pathlib import Path

import orjson
import pytest

from schemas.compatibility import Side, breaking_changes
from schemas.export import asyncapi, documents, json_schema
from schemas.topics import TOPICS
from schemas.wire import MODELS, VERSIONS

ROOT = Path(__file__).parents[3]
RELEASED = ROOT / "tests" / "golden" / "released"
WRITTEN_BY_OTHERS = {kind for topic in TOPICS.values() if not topic.ours for kind in topic.types}


@pytest.mark.parametrize("name", sorted(documents()))
def test_the_committed_document_is_the_one_the_models_make(name: str) -> None:
    committed = (ROOT / "docs" / name).read_bytes()
    assert committed == documents()[name], f"docs/{name} is old: run `make schemas` and read the diff"


@pytest.mark.parametrize("event_type", sorted(MODELS))
def test_no_schema_breaks_the_last_release(event_type: str) -> None:
    released = orjson.loads((RELEASED / f"{event_type}.json").read_bytes())
    if VERSIONS[event_type] > released["x-version"]:
        return
    side = Side.READ if event_type in WRITTEN_BY_OTHERS else Side.WRITTEN
    assert breaking_changes(released, json_schema(event_type), side) == (), "raise the version in schemas/wire.py"


def test_every_type_on_a_topic_has_a_model() -> None:
    carried = {kind for topic in TOPICS.values() for kind in topic.types}
    assert carried <= set(MODELS)


def test_asyncapi_points_only_at_documents_that_exist() -> None:
    payloads = {message["payload"]["$ref"] for message in asyncapi()["components"]["messages"].values()}
    assert {path.removeprefix("./") for path in payloads} <= set(documents())
