"""The command line itself: help, errors, exit codes, completion, start-up."""

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from streams.cli.exit_code import ExitCode
from streams.cli.main import COMMANDS, app, run

NOBODY = ["--bootstrap", "127.0.0.1:1"]


def leaves(command: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    children = getattr(command, "commands", None)
    if not children:
        return [path]
    below = [leaf for name in children for leaf in leaves(children[name], (*path, name))]
    return [path, *below] if path and getattr(command, "invoke_without_command", False) else below


ALL = leaves(typer.main.get_command(app))


def test_all_promised_commands_are_there() -> None:
    told = {" ".join(path) for path in ALL}
    assert told >= {
        "demo", "up", "run", "topics create", "topics check", "topics list", "leads import", "leads send",
        "reps import", "reps list", "reps show", "accounts import", "policy lint", "policy explain", "policy diff",
        "policy test", "policy publish", "policy activate", "policy show", "policy history", "lead explain",
        "lead history", "quarantine list", "quarantine release", "quarantine block",
        "dlq list", "dlq show", "dlq replay", "dlq drop", "timers list", "timers stats", "doctor",
        "intake", "intake new-key", "board", "board new-key", "audit monthly", "audit quarterly", "broker",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "Example:" in told
    assert f"leadstream {path[0]}" in told


# What runs until it is told to stop, and prints no result.
STAYING = {("demo",), ("up",), ("run",), ("broker",), ("intake",), ("feed",), ("board",)}


@pytest.mark.parametrize("path", [path for path in ALL if path not in STAYING], ids=" ".join)
def test_every_command_with_a_result_can_give_json(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    run([*path, "--help"])
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["up scor", "up score scor", "run scor", "run board"])
def test_a_stage_that_there_is_none_of_is_a_usage_error_that_names_them(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*NOBODY, *line.split()]) == ExitCode.USAGE
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("Error: There is no stage '")
    assert "score, " in second


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ('intake new-key ""', ExitCode.USAGE, "A name has no colon and no comma."),
        ("intake new-key a:b", ExitCode.USAGE, "A name has no colon and no comma."),
        ('policy activate 3f9a --reason " "', ExitCode.USAGE, "An activation needs a reason."),
        ("policy diff default nope.yaml", ExitCode.NOT_FOUND, "There is no policy file 'nope.yaml'."),
        ("policy diff folder/nope default", ExitCode.NOT_FOUND, "There is no policy file 'folder/nope'."),
        ('--namespace "a b" topics check', ExitCode.SETTINGS, "LEADSTREAM_NAMESPACE: it starts with a letter"),
    ],
)
def test_what_cannot_be_is_told_before_anybody_is_asked(
    line: str, code: ExitCode, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*NOBODY, *shlex.split(line)]) == code
    assert capsys.readouterr().err.startswith(f"Error: {says}")


@pytest.mark.parametrize(
    ("slots", "says"),
    [
        ("garbage", "LEADSTREAM_SLOTS: it must be JSON"),
        ('{"score": -1}', "LEADSTREAM_SLOTS.score: Input should be greater than or equal to 0"),
        ('{"scor": 1}', "there is no stage 'scor'"),
    ],
)
def test_slots_that_cannot_be_are_settings_to_mend(
    slots: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADSTREAM_SLOTS", slots)
    assert run([*NOBODY, "up"]) == ExitCode.SETTINGS
    assert capsys.readouterr().err.startswith(f"Error: {says}")


def test_a_misspelt_command_is_a_usage_error_that_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["polcy"]) == ExitCode.USAGE
    assert "policy" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["topics", "check"], ["reps", "list"], ["doctor"], ["dlq", "list"], ["timers", "stats"]],
    ids=" ".join,
)
def test_a_broker_that_is_away_has_its_own_exit_code_and_no_traceback(
    arguments: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.kafka.cluster.ADMIN_SECONDS", 1.0)
    monkeypatch.setattr("streams.kafka.cluster.PROBE_SECONDS", 0.2)
    monkeypatch.setattr("streams.cli.records.ADMIN_SECONDS", 1.0)
    assert run([*NOBODY, *arguments]) == ExitCode.UNREACHABLE
    told = capfd.readouterr()
    assert "127.0.0.1:1" in told.out + told.err
    assert "Traceback" not in told.err


def test_a_wrong_setting_has_its_own_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADSTREAM_SECURITY_PROTOCOL", "SSH")
    assert run(["topics", "check"]) == ExitCode.SETTINGS
    assert "LEADSTREAM_SECURITY_PROTOCOL" in capsys.readouterr().err


def test_output_that_cannot_be_written_is_no_fault_of_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_value: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("streams.cli.commands.topics.print_json", full)
    assert run(["topics", "list", "--json"]) == ExitCode.FAILED
    assert capsys.readouterr().err == "Error: No space left on device.\n"


def test_a_file_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["leads", "import", "nowhere.csv"]) == ExitCode.USAGE
    assert "nowhere.csv" in capsys.readouterr().err


def test_the_shell_completes_commands() -> None:
    environment = os.environ | {
        "_LEADSTREAM_COMPLETE": "complete_bash",
        "COMP_WORDS": "leadstream top",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("leadstream")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["topics"]


def test_a_command_loads_only_what_it_needs() -> None:
    code = "import sys, streams.cli.main as m; m.run(['topics', '--help']); print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "streams.cli.commands.topics" in loaded
    assert not {"fastapi", "faust", "pytickersymbols", "streams.demo.show", "streams.cli.commands.policy"} & set(loaded)


def test_commands_are_listed_in_the_order_of_use() -> None:
    assert COMMANDS[0] == "demo"
    assert list(typer.main.get_command(app).list_commands(None)) == list(COMMANDS)  # type: ignore[attr-defined]
