"""A broker starts from the archive of classes where there is one, and as it would without where there is none."""

from pathlib import Path

import pytest

from streams.broker import archive, warming


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An archive, as far as its name goes."""
    made = archive.path(tmp_path)
    made.parent.mkdir(parents=True)
    made.write_bytes(b"classes")
    return made


def test_without_an_archive_the_jvm_is_given_no_option(tmp_path: Path) -> None:
    assert archive.options(tmp_path) == ()


def test_an_archive_that_is_there_is_named_to_the_jvm_which_says_nothing_of_it(tmp_path: Path, made: Path) -> None:
    options = archive.options(tmp_path)
    assert f"-XX:AOTCache={made}" in options
    assert "-Xlog:aot*=off" in options


def test_a_jdk_that_knows_no_such_archives_is_given_no_option(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "version", lambda _: "21.0.8.1")
    made.replace(archive.path(tmp_path))
    assert archive.options(tmp_path) == ()
    assert warming.warm(tmp_path) is None


def test_another_jdk_has_an_archive_of_its_own(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "version", lambda _: "26.0.1.0")
    assert archive.path(tmp_path) != made
    assert archive.options(tmp_path) == ()
