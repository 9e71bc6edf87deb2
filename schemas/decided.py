"""The record of a decision as an effect: its bytes, made once, and the model for whoever asks."""

from schemas.decision import Decision, DecisionKind, with_contact
from schemas.effects import Emit

TOPIC = "leads.assigned"
TYPE = "lead.decided"

_set = object.__setattr__


class Decided(Emit):
    """An `Emit` of one decision. journalled: its JSON without contact; encoded: with it, where there is one."""

    __slots__ = ("kind", "lead_id")
    kind: DecisionKind
    lead_id: str

    def __init__(
        self, key: str, tag: str, lead_id: str, kind: DecisionKind, bare: bytes, contact: bytes | None = None
    ) -> None:
        _set(self, "topic", TOPIC)
        _set(self, "key", key)
        _set(self, "type", TYPE)
        _set(self, "tag", tag)
        _set(self, "headers", {})
        _set(self, "lead_id", lead_id)
        _set(self, "kind", kind)
        _set(self, "journalled", bare)
        _set(self, "encoded", bare if contact is None else with_contact(bare, contact))

    @property
    def value(self) -> Decision:
        """The decision without contact, read from its bytes."""
        return Decision.model_validate_json(self.journalled or b"")

    def told(self, contact: bytes) -> "Decided":
        """Return it with the contact beside the decision, as JSON."""
        return Decided(self.key, self.tag, self.lead_id, self.kind, self.journalled or b"", contact)
