"""The two bases of every pydantic model on the wire."""

from pydantic import BaseModel, ConfigDict


class Written(BaseModel):
    """What leadstream writes: closed and frozen. A field that readers do not know is a new schema version."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class Read(BaseModel):
    """What others write: frozen and tolerant; unknown fields are kept."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="allow")


class Typed(BaseModel):
    """What people write by hand (policy, roster, settings): frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")
