from pathlib import Path

import pytest

from streams.cli.exit_code import ExitCode
from streams.cli.main import run


def test_good_texts_have_no_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "assignment.subject.j2").write_text("{{ tier }}: {{ company }}{% if previous_owner_name %}!{% endif %}")
    assert run(["notify", "lint", str(tmp_path)]) == ExitCode.OK
    assert "No problems." in capsys.readouterr().out


def test_every_bad_text_is_named_with_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "assignment.subject.j2").write_text("{{ ().__class__ }}")
    (tmp_path / "assignment.body.j2").write_text("{{ compny }}")
    (tmp_path / "unknown.part.j2").write_text("")
    assert run(["notify", "lint", str(tmp_path)]) == ExitCode.REFUSED
    told = capsys.readouterr().out
    assert all(
        name in told for name in ("assignment.subject.j2", "assignment.body.j2", "unknown.part.j2", "3 problems.")
    )


def test_a_channel_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notify", "preview", "main.4f.1", "--channel", "pigeon"]) == ExitCode.USAGE
    assert "slack" in capsys.readouterr().err
