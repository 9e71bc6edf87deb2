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


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return documents()


def test_the_committed_documents_are_those_the_models_make(made: dict[str, bytes]) -> None:
    docs = ROOT / "docs"
    missing = [name for name in made if not (docs / name).is_file()]
    old = [name for name in made.keys() - missing if (docs / name).read_bytes() != made[name]]
    left_over = [path.name for path in docs.glob("schemas/*") if f"schemas/{path.name}" not in made]
    assert (missing, old, left_over) == ([], [], []), "run `python -m schemas.export docs` and read the diff"


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


def test_asyncapi_points_only_at_documents_that_exist(made: dict[str, bytes]) -> None:
    payloads = {message["payload"]["$ref"] for message in asyncapi()["components"]["messages"].values()}
    assert {path.removeprefix("./") for path in payloads} <= set(made)
