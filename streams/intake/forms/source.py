"""One form of somebody else's that calls us: what it is, how it signs, what its questions mean. Written in YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, SecretStr, TypeAdapter, ValidationError

from schemas.model import Typed
from streams.errors import Fatal


class FormSource(Typed):
    """One entry of the forms file, under the name that its URL has: `POST /forms/<name>`.

    kind: a key of `streams.intake.forms.kinds.FORMS`. secret_env, token_env, verify_env: names of the environment
    variables that hold what the requests are signed with, what answers are fetched with (Meta, LinkedIn), and the
    verify token (Meta); the values never stand in the file. fields: question, as its title, reference or id -> field
    of a submission, or "answers.<name>" for rules to see; "" leaves it out. lead: fields of every lead of this form.
    base_url: of the API that answers are fetched from; allow_hosts: hosts of it that may be private addresses.
    signature_header, signature_encoding: for kind generic.
    """

    kind: str
    secret_env: str
    token_env: str | None = None
    verify_env: str | None = None
    fields: dict[str, str] = Field(default_factory=dict)
    lead: dict[str, str | int | float | bool] = Field(default_factory=dict)
    base_url: str | None = None
    allow_hosts: tuple[str, ...] = ()
    signature_header: str = "X-Signature"
    signature_encoding: str = Field(default="hex", pattern="^(hex|base64)$")


class Form(Typed):
    """A source with its secrets."""

    name: str
    source: FormSource
    secret: SecretStr
    token: SecretStr = SecretStr("")
    verify: SecretStr = SecretStr("")


class FormsInvalid(Fatal):
    """The forms file cannot be used. Correct what is named and start again."""


_SOURCES = TypeAdapter(dict[str, FormSource])


def read_forms(path: Path | None, environ: Mapping[str, str], kinds: Mapping[str, object]) -> dict[str, Form]:
    """Return the forms of a file by name, none without a file. Raises FormsInvalid naming the entry."""
    if path is None:
        return {}
    try:
        sources = _SOURCES.validate_python(yaml.safe_load(path.read_text()) or {})
    except (OSError, yaml.YAMLError) as error:
        raise FormsInvalid(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no YAML'}.") from error
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
        raise FormsInvalid(f"{path}: {told}") from error
    return {name: _form(path, name, source, environ, kinds) for name, source in sources.items()}


def _form(path: Path, name: str, source: FormSource, environ: Mapping[str, str], kinds: Mapping[str, object]) -> Form:
    if source.kind not in kinds:
        raise FormsInvalid(f"{path}: {name}.kind {source.kind!r} is unknown; there are {', '.join(sorted(kinds))}.")
    values: dict[str, Any] = {}
    for field, variable in (("secret", source.secret_env), ("token", source.token_env), ("verify", source.verify_env)):
        if variable is None:
            continue
        if not environ.get(variable):
            raise FormsInvalid(f"{path}: {name}.{field}_env: the environment variable {variable} is not set.")
        values[field] = environ[variable]
    return Form(name=name, source=source, **values)
