"""The intake's own settings, from the environment: `LEADSTREAM_INTAKE_…`."""

from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# A record may have 1 MiB (`streams.kafka.config.INPUT_MAX_BYTES`) with its headers and what the intake adds.
MAX_BODY_BYTES = 1_000_000


class IntakeSettings(BaseSettings):
    """Where the intake listens, who may write, how much.

    keys: "name:sha256,name:sha256" (`leadstream intake new-key NAME` makes one); keys_file: the same, one a line.
    is_open: no key asked; for one's own machine only. rate_per_minute: records per key and minute.
    ack_seconds: how long Kafka has to acknowledge before the caller gets 503. public_url: "https://intake.example", as
    callers see it where a proxy stands before; HubSpot signs it. forms_file: forms of others that call us, YAML
    (docs/capture.md). guides_file: forms of several steps that ask what to ask next, YAML (docs/capture.md).
    """

    model_config = SettingsConfigDict(env_prefix="LEADSTREAM_INTAKE_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    keys: str = ""
    keys_file: Path | None = None
    is_open: bool = False
    max_body_bytes: int = Field(default=MAX_BODY_BYTES, ge=1_000, le=MAX_BODY_BYTES)
    max_batch: int = Field(default=500, ge=1, le=10_000)
    rate_per_minute: int = Field(default=6_000, ge=1)
    ack_seconds: float = Field(default=10, gt=0.5, le=60)
    public_url: str = ""
    forms_file: Path | None = None
    guides_file: Path | None = None

    @model_validator(mode="after")
    def _a_full_batch_fits_the_rate(self) -> "IntakeSettings":
        if self.max_batch > self.rate_per_minute:
            raise ValueError("max_batch must not be above rate_per_minute: a full batch could never pass")
        return self
