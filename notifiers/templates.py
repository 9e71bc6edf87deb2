"""The texts of notices: built-in ones, and the files by which operations staff replace them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from notifiers.builtin import BUILT_IN, Text
from notifiers.message import Body
from notifiers.sandbox import TemplateRefused, check, environment, html_text, one_line, slack_text

PARTS = ("subject", "body", "short")
LONGEST_BODY = 8_000
LONGEST_SUBJECT = 150
LONGEST_SHORT = 480  # three SMS
_FAILURES = (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


@dataclass(frozen=True)
class Templates:
    """The texts by name: "assignment", "auto_reply.demo", "auto_reply.demo.de". Build one with `load`.

    `_compiled` is bounded by the number of texts.
    """

    texts: Mapping[str, Text]
    _environment: jinja2.Environment = field(default_factory=environment)
    _compiled: dict[str, jinja2.Template] = field(default_factory=dict)

    def named(self, name: str, language: str | None) -> Text:
        """Return the text for `name`, in `language` if there is one, else of the nearest more general name."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            stem = ".".join(parts[:length])
            for candidate in (f"{stem}.{language}", stem) if language else (stem,):
                if candidate in self.texts:
                    return self.texts[candidate]
        return self.texts["notice"]

    def rendered(self, name: str, language: str | None, fields: Mapping[str, Any], channel: str) -> Body:
        """Return subject and text, escaped for `channel`, and for mail the same as HTML.

        A custom text that fails on these fields is replaced by the built-in one: a notice is never lost to a typo.
        """
        try:
            return self._body(self.named(name, language), fields, channel)
        except _FAILURES:
            return self._body(Templates(BUILT_IN).named(name, language), fields, channel)

    def _body(self, text: Text, fields: Mapping[str, Any], channel: str) -> Body:
        subject = _capped(one_line(self._render(text.subject, fields)), LONGEST_SUBJECT)
        match channel:
            case "sms" | "push":
                return Body(subject, _capped(one_line(self._render(text.short, fields)), LONGEST_SHORT))
            case "slack":
                return Body(subject, slack_text(_capped(self._render(text.body, fields), 1_400)))
            case "email":
                body = _capped(self._render(text.body, fields), LONGEST_BODY)
                return Body(subject, body, html_text(body, (fields["link"], fields["booking_url"])))
            case _:
                return Body(subject, _capped(self._render(text.body, fields), LONGEST_BODY))

    def _render(self, source: str, fields: Mapping[str, Any]) -> str:
        template = self._compiled.get(source)
        if template is None:
            check(source)
            template = self._compiled[source] = self._environment.from_string(source)
        return template.render(fields).strip()


def _capped(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def load(folder: Path | None) -> Templates:
    """Return the built-in texts, replaced by the files `<name>.<part>.j2` of `folder`.

    Raises TemplateRefused with the file's name for a text that `lint` would refuse.
    """
    texts = dict(BUILT_IN)
    for path in sorted(folder.glob("*.j2")) if folder is not None else ():
        name, part, source = _read(path)
        try:
            check(source)
        except TemplateRefused as error:
            raise TemplateRefused(f"{path.name}: {error}") from None
        base = Templates(texts).named(name, None)
        texts[name] = Text(**{**base.parts(), part: source})
    return Templates(texts)


def _read(path: Path) -> tuple[str, str, str]:
    name, _, part = path.name.removesuffix(".j2").rpartition(".")
    if part not in PARTS or not name:
        raise TemplateRefused(f"{path.name}: a file is called <template>.<part>.j2, part one of {', '.join(PARTS)}")
    return name, part, path.read_text(encoding="utf-8")


def lint(folder: Path, sample: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is wrong with the templates of `folder`, a line each; empty: nothing.

    sample: the fields of a lead, as `notifiers.compose.fields` gives them; each text is rendered with it.
    """
    problems: list[str] = []
    for path in sorted(folder.glob("*.j2")):
        try:
            _, _, source = _read(path)
            check(source)
            environment().from_string(source).render(sample)
        except (TemplateRefused, UnicodeDecodeError) as error:
            said = str(error)
            problems.append(said if said.startswith(path.name) else f"{path.name}: {said}")
        except jinja2.UndefinedError as error:
            problems.append(f"{path.name}: {error.message}")
        except _FAILURES as error:
            problems.append(f"{path.name}: {type(error).__name__} on the sample lead")
    return tuple(problems)
