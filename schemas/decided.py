"""The record of a decision as an effect: its JSON in pieces, and the model for whoever asks."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from schemas.decision import Decision, DecisionKind, with_contact
from schemas.effects import Emit

TOPIC = "leads.assigned"
TYPE = "lead.decided"


class Decided(Emit):
    """An `Emit` of one decision. pieces: its JSON without contact; contact: that of the lead as JSON, None: none."""

    topic = TOPIC
    type = TYPE
    headers: Mapping[str, str] = MappingProxyType({})
    lead_id: str
    kind: DecisionKind
    pieces: Sequence[bytes]
    contact: bytes | None

    def __init__(
        self,
        key: str,
        tag: str,
        lead_id: str,
        kind: DecisionKind,
        pieces: Sequence[bytes],
        contact: bytes | None = None,
    ) -> None:
        self.__dict__ = {
            "key": key,
            "tag": tag,
            "lead_id": lead_id,
            "kind": kind,
            "pieces": pieces,
            "contact": contact,
        }

    @property
    def value(self) -> Decision:
        """The decision without contact, read from its bytes."""
        return Decision.model_validate_json(b"".join(self.pieces))

    @property
    def encoded(self) -> bytes:
        """The record: the decision, with the contact where there is one."""
        return b"".join(self.pieces) if self.contact is None else with_contact(self.pieces, self.contact)

    def told(self, contact: bytes) -> "Decided":
        """Return it with the contact beside the decision, as JSON."""
        return Decided(self.key, self.tag, self.lead_id, self.kind, self.pieces, contact)
