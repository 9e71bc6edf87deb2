"""Imports modules from a tree that was changed first."""

import ast
import importlib.abc
import importlib.util
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class Loading(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives each module of these, by name, from its file and tree, with some globals; leaves all others alone."""

    def __init__(self, trees: Mapping[str, tuple[Path, Callable[[], ast.Module]]], known: Mapping[str, Any]) -> None:
        self.trees = trees
        self.known = known

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in self.trees:
            return None
        file, _ = self.trees[fullname]
        return importlib.util.spec_from_file_location(fullname, file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        file, tree = self.trees[module.__name__]
        module.__dict__.update(self.known)
        exec(compile(tree(), str(file), "exec"), module.__dict__)
