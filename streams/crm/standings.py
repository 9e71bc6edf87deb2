"""What leadstream last told, or should have told, the CRM of each lead: read from leads.assigned."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from notifiers.compose import message_for
from notifiers.crm.reconcile import Standing
from notifiers.crm.record import record_of
from notifiers.delivery import opened
from notifiers.message import Message
from notifiers.outcome import Suppressed
from notifiers.settings import ChannelSettings
from notifiers.templates import Templates
from schemas.decision import Audience, Decision, DecisionKind
from schemas.rep import Rep

_NOT_OPEN = frozenset({DecisionKind.CLOSED, DecisionKind.QUARANTINED, DecisionKind.NURTURED})


class Standings:
    """One standing a lead, of its latest decision that the CRM hears of. Small: no traces, no texts."""

    def __init__(
        self,
        system: str,
        settings: ChannelSettings,
        templates: Templates,
        rep_of: Callable[[str], Rep | None],
    ) -> None:
        self._system = system
        self._settings = settings
        self._templates = templates
        self._rep_of = rep_of
        self._found: dict[str, Standing] = {}

    def put(self, decision: Decision) -> None:
        """Take a decision in, in the order of its partition."""
        message = self._message(decision)
        known = self._found.get(decision.lead_id)
        if message is not None:
            record = record_of(message, self._system)
            self._found[decision.lead_id] = Standing(record, decision.at, decision.kind not in _NOT_OPEN)
        elif known is not None:
            self._found[decision.lead_id] = replace(known, is_open=decision.kind not in _NOT_OPEN)

    def of(self, until: datetime) -> dict[str, Standing]:
        """Return lead id -> standing, of decisions made before `until`: later ones may still be on their way."""
        return {lead_id: standing for lead_id, standing in self._found.items() if standing.at < until}

    def _message(self, decision: Decision) -> Message | None:
        if not any(notice.audience is Audience.CRM for notice in decision.notices):
            return None
        row = next(row for row in opened(decision, self._settings, decision.at).rows if row.channel == "crm")
        try:
            return message_for(decision, row, self._rep_of, self._templates, self._settings, {})
        except Suppressed:
            return None
