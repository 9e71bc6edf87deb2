"""A scored lead without its contact, as a division keeps it: written as JSON once, read where somebody asks."""

from functools import cached_property
from typing import Any

import orjson

from schemas.lead import Lead, LeadScored
from schemas.spliced import Written

_AROUND = {"contact", "lead"}
_set = object.__setattr__  # the models are frozen


class Scored:
    """The JSON of a `LeadScored`, and of its lead, which goes into each decision. Equal where the JSON is."""

    def __init__(self, written: bytes) -> None:
        self.json = written

    @classmethod
    def of(cls, scored: LeadScored) -> "Scored":
        """Return what is kept of a scored lead. Fields stand in the order of the model."""
        lead = _json(scored.lead)
        around = scored.__pydantic_serializer__.to_json(scored, exclude_none=True, exclude=_AROUND)
        head = orjson.dumps({"lead_id": scored.lead_id, "division": scored.division})
        kept = cls(b"".join((head[:-1], b',"lead":', lead, b",", around[len(head) :])))
        kept.lead_json, kept.model = lead, scored if scored.contact is None else without_contact(scored)
        return kept

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Scored":
        """Return what is kept, from its JSON data."""
        kept = cls(orjson.dumps(data))
        kept.data = data
        return kept

    @cached_property
    def data(self) -> dict[str, Any]:
        """The JSON data."""
        found: dict[str, Any] = orjson.loads(self.json)
        return found

    @cached_property
    def model(self) -> LeadScored:
        """The scored lead."""
        return LeadScored.model_validate_json(self.json)

    @cached_property
    def lead_json(self) -> bytes:
        """The JSON of the lead alone."""
        return orjson.dumps(self.data["lead"])

    def is_of(self, scored: LeadScored) -> bool:
        """Tell whether it was made `of` this very model, or of it without contact."""
        known = self.__dict__.get("model")
        return known is not None and known.lead is scored.lead

    @property
    def person(self) -> str:
        return self.model.lead.person if "model" in self.__dict__ else str(self.data["lead"]["person"])

    @property
    def segment(self) -> str | None:
        return self.model.segment if "model" in self.__dict__ else self.data.get("segment")

    @property
    def score(self) -> int:
        return self.model.score if "model" in self.__dict__ else int(self.data.get("score", 0))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scored) and other.json == self.json

    def __hash__(self) -> int:
        return hash(self.json)

    def __repr__(self) -> str:
        return f"Scored({self.json!r})"


NOTHING = Scored(b"{}")  # of a lead that has ended


def without_contact(scored: LeadScored) -> LeadScored:
    """Return the lead without its contact, as `model_copy` does, which takes twice as long."""
    bare = LeadScored.__new__(LeadScored)
    _set(bare, "__dict__", scored.__dict__ | {"contact": None})
    _set(bare, "__pydantic_fields_set__", scored.__pydantic_fields_set__ | {"contact"})
    _set(bare, "__pydantic_extra__", scored.__pydantic_extra__)
    _set(bare, "__pydantic_private__", scored.__pydantic_private__)
    return bare


def plain(value: Any) -> orjson.Fragment:
    """Return what orjson shall write for a value that it does not know. Raises TypeError."""
    if isinstance(value, Scored | Written):
        return orjson.Fragment(value.json)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _json(lead: Lead) -> bytes:
    return lead.__pydantic_serializer__.to_json(lead, exclude_none=True)
