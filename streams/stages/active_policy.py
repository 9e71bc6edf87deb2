"""The policy that a division uses now, compiled once per body."""

from collections import OrderedDict
from dataclasses import dataclass

from routing.policy import Policy, PolicyInvalid, compile_policy
from streams.stages.rows import Tables

COMPILED_KEPT = 64  # bodies, over all divisions: today's and what a roll-back may bring back


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a division has no usable policy. reason: plain words for the operator, with what to do."""

    reason: str


class ActivePolicies:
    """Pointer -> body -> compiled policy. Reading it does no I/O; a body is compiled at most once while kept.

    A body that does not compile counts as missing: its division waits, visibly, until another is activated.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._kept: OrderedDict[str, Policy | Missing] = OrderedDict()

    def of(self, division: str) -> Policy | Missing:
        """Return the division's active policy, or why there is none."""
        pointer = self._tables.get("policies", f"active/{division}")
        if pointer is None:
            return Missing(f"division {division} has no active policy: publish and activate one")
        return self.under(pointer.hash)

    def under(self, hash: str) -> Policy | Missing:
        """Return the policy with this hash, or why there is none."""
        known = self._kept.get(hash)
        if known is not None:
            return known
        body = self._tables.get("policies", hash)
        if body is None:
            return Missing(f"policy {hash} has not arrived: publish its body")
        return self._keep(hash, _compiled(hash, body.text))

    def _keep(self, hash: str, known: Policy | Missing) -> Policy | Missing:
        self._kept[hash] = known
        if len(self._kept) > COMPILED_KEPT:
            self._kept.popitem(last=False)
        return known


def _compiled(hash: str, text: str) -> Policy | Missing:
    try:
        return compile_policy(text)
    except PolicyInvalid:
        return Missing(f"policy {hash} does not compile: lint it and activate another")
