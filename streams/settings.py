"""The settings of a process: LEADSTREAM_… in the environment, read in the entry point only."""

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from notifiers.settings import ChannelSettings
from streams.errors import Fatal
from streams.kafka.config import ClusterSettings

PREFIX = "LEADSTREAM_"
SECRET_BYTES_MIN = 16
ELSEWHERE = ("LEADSTREAM_INTAKE_", "LEADSTREAM_BOARD_")  # settings with a model of their own


class SettingsError(Fatal):
    """The settings are incomplete or wrong. Set what is named and start again."""


class PersonSecret(SettingsError):
    """No usable person secret: set LEADSTREAM_PERSON_SECRET or LEADSTREAM_PERSON_SECRET_FILE (16 characters or more).

    It turns mail addresses into record keys. Every process needs the same one, and changing it is a re-key.
    """


class Settings(BaseSettings):
    """All settings of a process but the intake's own. `load` makes it, with messages that say what to set.

    bootstrap, namespace, security_*, sasl_*, ssl_*: see `streams.kafka.config.ClusterSettings`.
    person_secret or person_secret_file: what person ids are made with; required to run a stage.
    state_dir: folder of the stores, one sub-folder a slot. http_host, http_port_base: health and metrics of slot n of
    the i-th stage are on base + 10 * i + n; 0: no server. http_port: instead, whatever the slot, for a process with a
    network of its own (a pod). org_file: divisions and enrichment, YAML; none: one
    division `main`. channels: `notifiers.settings.ChannelSettings` as JSON, or channels_file in YAML or JSON; of both,
    what is in the environment is laid over the file: the file holds no secret then.
    drain_seconds: SIGTERM to exit, at most. slots: stage -> processes that `up` runs, 1 where not named.
    beside_nice: niceness of the board and the feed, which only read: where processor time is short, stages go first.
    traces_url: an OTLP/HTTP collector ("http://127.0.0.1:4318") that gets a trace a lead; none: no traces.
    fault: "after-produce:3" kills the process there, for tests alone (`streams.fault`).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    bootstrap: str = "127.0.0.1:9092"
    namespace: str = ""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: str | None = None
    ssl_certificate_location: str | None = None
    ssl_key_location: str | None = None
    ssl_key_password: SecretStr | None = None

    person_secret: SecretStr | None = None
    person_secret_file: Path | None = None
    state_dir: Path = Path(".leadstream/state")
    org_file: Path | None = None
    channels: ChannelSettings = ChannelSettings()
    channels_file: Path | None = None

    http_host: str = "127.0.0.1"
    http_port_base: int = Field(default=9400, ge=0, le=65_000)
    http_port: int | None = Field(default=None, ge=1, le=65_535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    drain_seconds: float = Field(default=5.0, gt=0, le=60)
    traces_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    slots: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    beside_nice: int = Field(default=10, ge=0, le=19)
    fault: str = ""

    @model_validator(mode="after")
    def _cluster_is_valid(self) -> Self:
        self.cluster  # noqa: B018  (its own checks name what is missing)
        return self

    @property
    def cluster(self) -> ClusterSettings:
        """How to reach Kafka."""
        return ClusterSettings(**{name: getattr(self, name) for name in _CLUSTER_FIELDS})

    def person_key(self) -> bytes:
        """Return the person secret. Raises PersonSecret where there is none, or too short a one."""
        if self.person_secret is not None:
            secret = self.person_secret.get_secret_value().encode()
        elif self.person_secret_file is not None:
            try:
                secret = self.person_secret_file.read_bytes().strip()
            except OSError as error:
                raise SettingsError(f"LEADSTREAM_PERSON_SECRET_FILE cannot be read: {error.strerror}") from error
        else:
            raise PersonSecret
        if len(secret) < SECRET_BYTES_MIN:
            raise PersonSecret
        return secret

    def redacted(self) -> Mapping[str, Any]:
        """Return the settings as plain data for the log, secrets as stars."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


_CLUSTER_FIELDS = tuple(name for name in ClusterSettings.model_fields if name in Settings.model_fields)


def load(**given: Any) -> Settings:
    """Return the settings of the environment, `given` first.

    Raises SettingsError naming each variable that is wrong or misspelt, and what it may be. Variables that look
    like none of ours are left alone: the org file may name some of its own, and the intake has others.
    """
    misspelt = _misspelt(os.environ)
    if misspelt:
        raise SettingsError("; ".join(f"{name} is no setting, {meant} is" for name, meant in misspelt.items()))
    try:
        return Settings(**_with_channels_file(given))
    except (ValidationError, PydanticSettingsError) as error:
        raise SettingsError(_problems(error)) from error


def _misspelt(environ: Mapping[str, str]) -> Mapping[str, str]:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    found: dict[str, str] = {}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(ELSEWHERE):
            meant = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if meant:
                found[name] = meant[0]
    return found


def _with_channels_file(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is given, with the channels of the file that is named, if one is. Raises SettingsError."""
    file = given.get("channels_file") or os.environ.get(f"{PREFIX}CHANNELS_FILE")
    if not file:
        return given
    try:
        below = yaml.safe_load(Path(file).read_text()) or {}
        over = json.loads(os.environ.get(f"{PREFIX}CHANNELS") or "{}")
        return {**given, "channels": ChannelSettings.model_validate(_laid_over(below, over) if over else below)}
    except json.JSONDecodeError as error:
        raise SettingsError(f"{PREFIX}CHANNELS: it must be JSON") from error
    except (OSError, yaml.YAMLError) as error:
        what = getattr(error, "strerror", None) or "it is no YAML"
        raise SettingsError(f"{PREFIX}CHANNELS_FILE cannot be read: {what}") from error
    except ValidationError as error:
        raise SettingsError(f"{file}: {_problems(error)}") from error


def _laid_over(below: Any, over: Any) -> Any:
    """Return `over`, and of `below` what it does not say, section by section."""
    if not (isinstance(below, dict) and isinstance(over, dict)):
        return over
    return {**below, **{name: _laid_over(below.get(name), value) for name, value in over.items()}}


def _problems(error: ValidationError | PydanticSettingsError) -> str:
    if not isinstance(error, ValidationError):
        found = re.search(r'field "(\w+)"', str(error))  # pydantic-settings names the field in its sentence alone
        return f"{PREFIX}{found[1].upper()}: it must be JSON" if found else f"{error}: it must be JSON"
    rows = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(_problem(row["loc"], row["msg"]) for row in rows)


def _problem(place: tuple[int | str, ...], message: str) -> str:
    if not place:
        return message.removeprefix("Value error, ")
    name = str(place[0])
    if name == "namespace":
        message = "it starts with a letter, a digit, - or _, and holds those and dots, 100 at most"
    where = f"{PREFIX}{name.upper()}" if name in Settings.model_fields else name
    return f"{'.'.join([where, *map(str, place[1:])])}: {message}"
