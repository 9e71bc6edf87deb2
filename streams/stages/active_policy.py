"""The policy that a division uses now, compiled once per body."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

P = TypeVar("P")

COMPILED_KEPT = 64  # bodies, over all divisions: today's and what a roll-back may bring back


class Tables(Protocol):
    """The compacted topics that a stage reads, by logical name."""

    def get(self, table: str, key: str) -> Any | None:
        """Return the row's model, or None."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a division has no usable policy. reason: plain words for the operator, with what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class Active(Generic[P]):
    """A compiled policy and the hash of its body."""

    hash: str
    policy: P


class ActivePolicies(Generic[P]):
    """Pointer -> body -> compiled policy. Reading it does no I/O; a body is compiled at most once while kept.

    compile: raises ValueError where the text is no policy (then the division has none, visibly).
    """

    def __init__(self, tables: Tables, compile: Callable[[str], P]) -> None:
        self._tables = tables
        self._compile = compile
        self._kept: OrderedDict[str, Active[P] | Missing] = OrderedDict()

    def of(self, division: str) -> Active[P] | Missing:
        """Return the division's active policy, or why there is none."""
        pointer = self._tables.get("policies", f"active/{division}")
        if pointer is None:
            return Missing(f"division {division} has no active policy: publish and activate one")
        known = self._kept.get(pointer.hash)
        if known is not None:
            return known
        body = self._tables.get("policies", pointer.hash)
        if body is None:
            return Missing(f"policy {pointer.hash} of division {division} has not arrived: publish its body")
        return self._keep(pointer.hash, self._compiled(pointer.hash, body.text))

    def _compiled(self, hash: str, text: str) -> Active[P] | Missing:
        try:
            return Active(hash, self._compile(text))
        except ValueError as error:
            return Missing(f"policy {hash} does not compile ({type(error).__name__}): lint it and activate another")

    def _keep(self, hash: str, known: Active[P] | Missing) -> Active[P] | Missing:
        self._kept[hash] = known
        if len(self._kept) > COMPILED_KEPT:
            self._kept.popitem(last=False)
        return known
