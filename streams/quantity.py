"""How many of what, as people write it."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return "1 row", "2,000 rows", "1 person", "3 people"; plural: for nouns without one in s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
