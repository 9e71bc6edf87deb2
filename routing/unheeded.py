"""Parts of a policy file that this build reads and does not act on: said aloud, never silently without effect."""

from collections.abc import Iterator
from typing import Any

from routing.finding import Finding, Severity
from routing.policy import Policy
from routing.policy_errors import place
from schemas.policy_notices import Alarms

_ON_THE_BOARD = ("reassignments_in_a_day", "rule_unmatched_for", "rule_reassigned", "enrichment_drop_points")
# (section, field), compared with the field's default. A part leaves this list with the change that acts on it.
UNHEEDED: tuple[tuple[str, str], ...] = (
    ("options", "shadow_first_launch"),
    ("options", "shadow_change"),
    *(("alarms", name) for name in Alarms.model_fields if name not in _ON_THE_BOARD),
)


def unheeded(policy: Policy) -> Iterator[Finding]:
    """Yield a warning for each part that differs from its default and has no effect yet."""
    file = policy.file
    for section, field in UNHEEDED:
        model: Any = getattr(file, section)
        if getattr(model, field) != getattr(type(model)(), field):
            yield _warned(policy, (section, field))


def _warned(policy: Policy, path: tuple[str, ...]) -> Finding:
    what = f"{'.'.join(path)} has no effect in this build."
    return place(policy.document, path, Severity.WARNING, "part.unheeded", what, "Leave it out, or expect its default.")
