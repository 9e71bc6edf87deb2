"""The write-ahead list of deliveries whose request may be out: how a restart knows that it may be repeating one."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

_LONGEST_BYTES = 1_048_576


class AttemptLog(Protocol):
    """Keys of deliveries that were begun and whose outcome is not committed yet."""

    def was_begun(self, key: str) -> bool:
        """Tell whether an earlier process began `key` and may not have committed its outcome."""

    def begin(self, key: str) -> None:
        """Remember, before the request goes out, that `key` is begun. Survives SIGKILL once it returns."""

    def committed(self, keys: Iterable[str]) -> None:
        """Forget keys whose outcome is committed."""


class FileAttemptLog:
    """A list in one file of the slot. Written before each request, not synced: it outlives the process, not the
    machine. After the loss of a machine, or on another slot, a repeat goes unmarked; its key is still the same.

    Keys found at the start stay known until their outcome is committed by this process.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._inherited = _open_keys(path)
        self._open = set(self._inherited)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._rewrite()

    def was_begun(self, key: str) -> bool:
        return key in self._inherited

    def begin(self, key: str) -> None:
        self._open.add(key)
        os.write(self._file, f"+{key}\n".encode())

    def committed(self, keys: Iterable[str]) -> None:
        done = self._open.intersection(keys)
        if not done:
            return
        self._open -= done
        self._inherited -= done
        if not self._open:
            os.ftruncate(self._file, 0)
        else:
            os.write(self._file, "".join(f"-{key}\n" for key in done).encode())
            if os.fstat(self._file).st_size > _LONGEST_BYTES:
                self._rewrite()

    def close(self) -> None:
        os.close(self._file)

    def _rewrite(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(f"+{key}\n" for key in sorted(self._open)))
        fresh.replace(self._path)
        os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)


def _open_keys(path: Path) -> set[str]:
    keys: set[str] = set()
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("+"):
                keys.add(line[1:])
            else:
                keys.discard(line[1:])
    return keys


class MemoryAttemptLog:
    """For tests and dry runs: forgets with the process, so nothing is ever marked."""

    def __init__(self, begun: Iterable[str] = ()) -> None:
        self._begun = set(begun)

    def was_begun(self, key: str) -> bool:
        return key in self._begun

    def begin(self, key: str) -> None:
        return None

    def committed(self, keys: Iterable[str]) -> None:
        self._begun.difference_update(keys)
