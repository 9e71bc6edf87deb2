"""The fields of a submission, read one by one; what cannot be read is flagged, never raised."""

import math
import re
from collections.abc import ItemsView
from typing import Any

from enrichment.normalise.text import is_blank, plain, token

_YES = frozenset({"true", "yes", "y", "1", "on", "checked"})
_NO = frozenset({"false", "no", "n", "0", "off", ""})
_PERSONAL = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}|(?:\+|\b)\d[\d ().-]{7,}\d\b", re.IGNORECASE)
_MAY_BE_PERSONAL = re.compile(r"[@\d]")  # without one of these nothing can be: most texts need no closer look
_PERSONAL_KEYS = re.compile(
    r"e_?mail|phone|mobile|(?:^|your_|my_|full_|first_|last_|sur|contact_)name$|address|birth|ssn|passport"
)
MOST_ANSWERS = 50
MOST_MESSAGES = 500
MOST_BEHAVIOURS = 30
PUBLIC_CHARACTERS = 200


class Fields:
    """A submission's fields with the flags that reading them raised: "field.problem"."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self.flags: list[str] = []

    def flag(self, name: str, problem: str) -> None:
        self.flags.append(f"{name}.{problem}")

    def raw(self, name: str) -> Any:
        return self._fields.get(name)

    def all(self) -> ItemsView[str, Any]:
        return self._fields.items()

    def text(self, name: str) -> str | None:
        """Return one plain line, or None; what is no text is flagged "invalid"."""
        value = self._fields.get(name)
        if value is None:
            return None
        text = plain(value)
        if text is None and not is_blank(value):
            self.flag(name, "invalid")
        return text

    def public(self, name: str) -> str | None:
        """Return text that rules may see, 200 characters at most; what looks personal stays in the raw payload."""
        text = self.text(name)
        if text is not None and looks_personal(text):
            self.flag(name, "personal")
            return None
        return text[:PUBLIC_CHARACTERS].rstrip() if text else None

    def body(self, name: str) -> str | None:
        """Return a longer text as it is."""
        value = self._fields.get(name)
        if value is None or isinstance(value, str):
            return value or None
        self.flag(name, "invalid")
        return None

    def talk(self, name: str) -> str | None:
        """Return a chat as text, a line a message: "visitor: I need a demo". Text is taken as it is."""
        value = self._fields.get(name)
        if not isinstance(value, list):
            return self.body(name)
        lines = [line for line in map(_message, value[:MOST_MESSAGES]) if line]
        if not lines and value:
            self.flag(name, "invalid")
        return "\n".join(lines) or None

    def claim(self, name: str) -> bool | None:
        """Return a yes or no, or None where it says neither."""
        value = self._fields.get(name)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).strip().lower() if isinstance(value, str | int) else None
        if word in _YES or word in _NO:
            return word in _YES if word else None
        self.flag(name, "invalid")
        return None

    def number(self, name: str) -> float | None:
        """Return a finite number, or None."""
        value = self._fields.get(name)
        if value is None:
            return None
        try:
            number = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            self.flag(name, "invalid")
            return None
        return number

    def behaviour(self) -> tuple[str, ...]:
        """Return what the person did before, as tokens in order; of a page the last part of its path."""
        value = self._fields.get("behaviour")
        if value is None:
            return ()
        rows = value.split(",") if isinstance(value, str) else value
        if not isinstance(rows, list):
            self.flag("behaviour", "invalid")
            return ()
        tokens = (_act(row) for row in rows[:MOST_BEHAVIOURS] if isinstance(row, str))
        return tuple(found for found in tokens if found)

    def answers(self) -> dict[str, str | int | float | bool]:
        """Return the answers that rules may see, by token of the question; personal ones stay in the raw payload."""
        value = self._fields.get("answers")
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.flag("answers", "invalid")
            return {}
        found: dict[str, str | int | float | bool] = {}
        for question, answer in list(value.items())[:MOST_ANSWERS]:
            key = token(str(question))
            if key is None or answer is None:
                continue
            said = answer if isinstance(answer, bool | int) else _said(answer)
            if said is None:
                self.flag("answers", "invalid")
            elif _PERSONAL_KEYS.search(key) or looks_personal(f"{question} {said}"):
                self.flag("answers", "personal")
            else:
                found[key] = said
        return found


def looks_personal(text: str) -> bool:
    """Tell whether `text` holds something like an address or a phone number."""
    return _MAY_BE_PERSONAL.search(text) is not None and _PERSONAL.search(text) is not None


def _message(row: Any) -> str | None:
    if isinstance(row, str):
        return row.strip() or None
    if not isinstance(row, dict):
        return None
    text = next((row[name] for name in ("text", "message", "body") if isinstance(row.get(name), str)), None)
    who = next((row[name] for name in ("from", "author", "role", "sender") if isinstance(row.get(name), str)), None)
    return (f"{who}: {text}" if who else text) if text else None


def _said(answer: Any) -> str | int | float | bool | None:
    if isinstance(answer, float):
        return answer if math.isfinite(answer) else None
    text = plain(answer)
    return text[:PUBLIC_CHARACTERS] if text else None


def _act(row: str) -> str | None:
    path = row[:300].split("?")[0].split("#")[0].rstrip("/")
    return None if looks_personal(row) else token(path.rsplit("/", 1)[-1])
