"""People's names for the ids of the roster, in text that a person reads."""

import re
from collections.abc import Mapping

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")


def named(text: str, names: Mapping[str, str]) -> str:
    """Return the text with names for ids, whole words alone. names: rep id -> name."""

    def name(match: re.Match[str]) -> str:
        word = match[0]
        bare = word.rstrip(".")
        return names[bare] + word[len(bare) :] if bare in names else word

    return _ID.sub(name, text)
