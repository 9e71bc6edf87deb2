"""Which tests reach which line of the code under test, and how long each takes."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest


class Reach:
    """A pytest plugin that notes lines by test. What an import runs is noted under ""."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.lines: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self.test = ""

    def start(self) -> None:
        sys.settrace(self._called)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._stepped if frame.f_code.co_filename.startswith(self.folder) else None

    def _stepped(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            self.lines[frame.f_code.co_filename, frame.f_lineno].add(self.test)
        return self._stepped

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.test = item.nodeid
        sys.settrace(self._called)
        try:
            return (yield)
        finally:
            self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
