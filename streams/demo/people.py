"""Invented people at real companies: their addresses go to nobody but the demo's own mail sink."""

FIRST = (
    "Alex", "Bao", "Carmen", "Dmitri", "Elena", "Farid", "Grace", "Hana", "Ivan", "Julia", "Kofi", "Lena", "Mateo",
    "Nadia", "Omar", "Priya", "Quinn", "Ravi", "Sofia", "Tomas", "Uma", "Victor", "Wanda", "Ximena", "Yusuf", "Zara",
)  # fmt: skip
LAST = (
    "Almeida", "Bauer", "Castillo", "Dubois", "Eriksen", "Fontaine", "Garcia", "Hansen", "Ito", "Jensen", "Kowalski",
    "Larsen", "Moreau", "Nakamura", "Oliveira", "Park", "Quist", "Rossi", "Schmidt", "Torres", "Ueda", "Vogel",
    "Wagner", "Xu", "Yilmaz",
)  # fmt: skip
TITLES = ("VP Sales", "Head of IT", "CTO", "Operations Manager", "Director of Marketing", "Analyst", "CFO")


def person(number: int) -> tuple[str, str, str]:
    """Return first name, last name and title of the n-th invented person; names repeat after 650."""
    return FIRST[number % len(FIRST)], LAST[number % len(LAST)], TITLES[number % len(TITLES)]
