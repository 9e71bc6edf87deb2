"""Which slots `leadstream up` runs, and what it reads of a child that died."""

from pathlib import Path

import pytest

from streams.settings import PersonSecret, Settings
from streams.supervisor import BESIDE, BOARD, STOP_ORDER, SlotName, environment, last_line, slots_of, up
from streams.topology import FEED, NAMES, UnknownStage, http_port


def test_every_stage_runs_once_unless_the_settings_say_otherwise() -> None:
    assert [str(name) for name in slots_of(Settings(slots={"score": 2, "pending": 0}))] == [
        "enrich-0",
        "track-0",
        "score-0",
        "score-1",
        "assign-0",
        "notify-0",
        "timers-0",
        "meter-0",
    ]


def test_only_some_stages_can_be_run() -> None:
    assert slots_of(Settings(slots={"score": 2}), ("timers", "track")) == (SlotName("track", 0), SlotName("timers", 0))


@pytest.mark.parametrize(("slots", "only"), [({"scroe": 1}, ()), ({}, ("scroe",))], ids=["slots", "only"])
def test_a_stage_that_there_is_not_is_refused(slots: dict[str, int], only: tuple[str, ...]) -> None:
    with pytest.raises(UnknownStage):
        slots_of(Settings(slots=slots), only)


def test_every_stage_has_its_place_in_the_order_of_the_end() -> None:
    assert sorted(STOP_ORDER) == sorted((*NAMES, *BESIDE))


def test_without_a_person_secret_no_child_is_started(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(PersonSecret):
        up(Settings(state_dir=tmp_path), say=said.append)
    assert said == []


def test_children_get_what_the_command_line_said(tmp_path: Path) -> None:
    given = environment(Settings(bootstrap="kafka:1", namespace="acme", state_dir=tmp_path))
    assert given["LEADSTREAM_BOOTSTRAP"] == "kafka:1"
    assert given["LEADSTREAM_NAMESPACE"] == "acme"
    assert given["LEADSTREAM_STATE_DIR"] == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        pytest.param("one\ntwo\n\n", "two", id="lines"),
        pytest.param("", "-", id="empty"),
        pytest.param("x" * 9_000, "x" * 400, id="long"),
        pytest.param('{"event": "process.ended", "error": "Fenced", "reason": "taken"}\n', "Fenced: taken", id="ended"),
        pytest.param('{"event": "process.failed", "error": "KeyError"}\n', "KeyError", id="failed"),
        pytest.param('{"event": "state.restored"}\n', '{"event": "state.restored"}', id="something else"),
        pytest.param("[1]\n", "[1]", id="no object"),
    ],
)
def test_the_last_line_of_a_log_tells_why_a_child_ended(tmp_path: Path, text: str, last: str) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert last_line(log) == last
    assert last_line(tmp_path / "none") == "-"


def test_the_board_runs_where_somebody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SlotName(BOARD, 0) not in slots_of(Settings())
    monkeypatch.setenv("LEADSTREAM_BOARD_IS_OPEN", "true")
    assert slots_of(Settings())[-1] == SlotName(BOARD, 0)
    assert SlotName(BOARD, 0) not in slots_of(Settings(slots={BOARD: 0}))
    assert slots_of(Settings(), ("track", BOARD)) == (SlotName("track", 0), SlotName(BOARD, 0))


def test_the_feed_runs_where_a_webhook_asks_for_events_at_a_port_of_its_own() -> None:
    receiver = {"url": "https://dw.example/in", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    silent, asking = (
        Settings.model_validate({"channels": {"webhooks": {"dw": receiver | {"events": events}}}})
        for events in ((), ("lead.assigned",))
    )
    assert SlotName(FEED, 0) not in slots_of(silent)
    assert slots_of(asking)[-1] == SlotName(FEED, 0)
    assert SlotName(FEED, 0) not in slots_of(asking.model_copy(update={"slots": {FEED: 0}}))
    assert http_port(FEED, 0, asking) not in {http_port(name, 0, asking) for name in NAMES}
