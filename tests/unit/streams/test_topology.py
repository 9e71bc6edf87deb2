"""Every stage can be built from settings, and bad ones are named before anything is opened."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from schemas.org import Org
from schemas.topics import PARTITIONS, TOPICS
from streams.clock import SteadyClock
from streams.settings import Settings, SettingsError
from streams.tables import Tables
from streams.topology import (
    NAMES,
    STAGES,
    Parts,
    UnknownStage,
    http_port,
    org_of,
    person_of_email,
    run_stage,
    runner_settings,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(person_secret="0123456789abcdef", state_dir=tmp_path)


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_is_built_and_reads_topics_of_equal_counts(name: str, settings: Settings, tmp_path: Path) -> None:
    stage = STAGES[name](Parts(settings, Tables(), CollectorRegistry(), tmp_path / name, SteadyClock()))
    assert stage.name == name
    assert len({PARTITIONS[TOPICS[topic].keyed_by] for topic in stage.inputs}) == 1
    assert set(stage.low_priority) <= set(stage.inputs)
    assert all(TOPICS[table].is_compacted for table in stage.tables)
    if stage.kinds:
        assert f"state.{name}" in TOPICS


def test_an_unknown_stage_is_refused_with_those_that_there_are(settings: Settings) -> None:
    with pytest.raises(UnknownStage, match="enrich, pending, track, score, assign, notify, timers"):
        run_stage("scroe", 0, settings)


def test_a_fault_that_is_none_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="LEADSTREAM_FAULT"):
        runner_settings("score", 0, settings.model_copy(update={"fault": "somewhere:1"}))


def test_no_two_slots_share_a_port(settings: Settings) -> None:
    ports = [http_port(name, slot, settings) for name in NAMES for slot in range(10)]
    assert len(set(ports)) == len(ports) and ports[0] == 9_400
    assert http_port("score", 0, settings.model_copy(update={"http_port_base": 0})) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("divisions: [", "no YAML"), ("divisions: []", "divisions: "), ("colour: red", "colour: Extra")],
    ids=["broken", "no division", "unknown key"],
)
def test_an_org_file_with_an_error_is_named(settings: Settings, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        org_of(settings.model_copy(update={"org_file": file}))
    assert "org.yaml" in str(raised.value) and said in str(raised.value)


def test_without_an_org_file_there_is_one_division(settings: Settings) -> None:
    assert list(org_of(settings).division_names()) == ["main"]


def test_ways_to_write_an_address_are_one_person() -> None:
    person = person_of_email(Org(), b"0123456789abcdef")
    assert person("Jane.Doe+news@GMail.com") == person("janedoe@gmail.com") is not None
    assert person("nobody") is None
