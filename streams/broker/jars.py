"""The jars of the embedded broker: resolved once, checked at each start against hashes kept beside this file."""

import hashlib
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from streams.errors import Fatal

# Two calls, not one: in one, log4j's BOM pulls kafka-clients back to 3.8.0 and the broker dies.
ENDPOINTS = ("org.apache.kafka:kafka_2.13:4.1.0", "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3")


class JarsUnavailable(Fatal):
    """The embedded broker's jars could not be had: install the extra `leadstream[local]` and allow one download."""


class JarCorrupt(Fatal):
    """A jar of the embedded broker is not the one this release was tested with. Delete it and start again."""


def default_cache_dir() -> Path:
    """Return where the jars are kept: $XDG_CACHE_HOME/leadstream, else ~/.cache/leadstream."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadstream"


def expected_hashes() -> dict[str, str]:
    """Return jar file name -> SHA-256, in hex, of all jars on the class path."""
    lines = (files("streams.broker") / "jars.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def class_path(cache_dir: Path) -> tuple[Path, ...]:
    """Return the jars of the broker, downloading what `cache_dir` lacks (about 45 MB, once).

    Raises JarsUnavailable, JarCorrupt.
    """
    expected = expected_hashes()
    found = cached_jars(cache_dir, expected)
    if len(found) < len(expected):
        resolve(cache_dir)
        found = cached_jars(cache_dir, expected)
    if missing := sorted(expected.keys() - found.keys()):
        raise JarsUnavailable(
            f"Resolving the broker's jars gave other versions than expected: {', '.join(missing)} missing under "
            f"{cache_dir}. Delete that folder and start again."
        )
    return verified(found, expected)


def cached_jars(cache_dir: Path, expected: Mapping[str, str]) -> dict[str, Path]:
    """Return file name -> path of the expected jars that lie anywhere under `cache_dir`, whoever put them there."""
    return {path.name: path for path in sorted(cache_dir.rglob("*.jar")) if path.name in expected}


def verified(jars: Mapping[str, Path], expected: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the paths, by name, once every file has its expected SHA-256. Raises JarCorrupt."""
    for name, path in jars.items():
        with path.open("rb") as jar:
            digest = hashlib.file_digest(jar, "sha256").hexdigest()
        if digest != expected[name]:
            raise JarCorrupt(
                f"{path} has SHA-256 {digest}, expected {expected[name]}. Delete it, and its original in the local "
                "Maven repository (~/.m2/repository), and start again; if it comes back, do not run it."
            )
    return tuple(jars[name] for name in sorted(jars))


def resolve(cache_dir: Path) -> None:
    """Download the jars into `cache_dir`. Raises JarsUnavailable."""
    try:
        import jgo  # an extra: whoever has a cluster needs neither jgo nor a Java
    except ImportError as error:
        raise JarsUnavailable("The embedded broker needs an extra: pip install 'leadstream[local]'.") from error
    try:
        for endpoint in ENDPOINTS:
            jgo.build(endpoint, cache_dir=cache_dir)
    except Exception as error:  # jgo raises bare RuntimeError and whatever its HTTP client does
        raise JarsUnavailable(
            f"Could not download the embedded broker's jars ({error}). Check that the Maven repository can be reached, "
            "set a mirror in ~/.config/jgo.conf, or use a cluster of your own: LEADSTREAM_BOOTSTRAP=host:port."
        ) from error
