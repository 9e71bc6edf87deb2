"""Jars are run only when they are the ones the release was tested with."""

import hashlib
import sys
from pathlib import Path

import pytest

from streams.broker import jars
from streams.broker.jars import JarCorrupt, JarsUnavailable


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with two small jars, which are all that is expected."""
    contents = {"kafka.jar": b"kafka", "log.jar": b"log"}
    (tmp_path / "envs").mkdir()
    for name, content in contents.items():
        (tmp_path / "envs" / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(jars, "expected_hashes", lambda: hashes)
    return tmp_path


def test_every_jar_of_the_release_has_a_hash_and_no_version_is_open() -> None:
    expected = jars.expected_hashes()
    assert all(len(digest) == 64 for digest in expected.values())
    assert {"kafka_2.13-4.1.0.jar", "kafka-clients-4.1.0.jar", "log4j-slf4j-impl-2.24.3.jar"} <= expected.keys()


def test_a_full_cache_needs_no_network_and_no_resolver(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo", None)
    assert [path.name for path in jars.class_path(cache)] == ["kafka.jar", "log.jar"]


def test_a_jar_that_was_changed_is_refused_by_name(cache: Path) -> None:
    (cache / "envs" / "log.jar").write_bytes(b"other")
    with pytest.raises(JarCorrupt, match=r"log\.jar has SHA-256 .*Delete it"):
        jars.class_path(cache)


def test_without_the_extra_the_error_says_what_to_install(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo", None)
    (cache / "envs" / "log.jar").unlink()
    with pytest.raises(JarsUnavailable, match=r"pip install 'leadstream\[local\]'"):
        jars.class_path(cache)


def test_a_failed_download_says_what_to_check(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "ENDPOINTS", ("not an endpoint",))
    (cache / "envs" / "log.jar").unlink()
    with pytest.raises(JarsUnavailable, match="Maven repository"):
        jars.class_path(cache)


def test_a_resolution_to_other_versions_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "ENDPOINTS", ())
    (cache / "envs" / "log.jar").rename(cache / "envs" / "log-2.jar")
    with pytest.raises(JarsUnavailable, match=r"log\.jar missing"):
        jars.class_path(cache)


def test_the_cache_folder_follows_the_desktop_convention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert jars.default_cache_dir() == Path("/somewhere/leadstream")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert jars.default_cache_dir() == Path.home() / ".cache" / "leadstream"
