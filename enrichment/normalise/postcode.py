"""Postcodes, cut to what routing needs: the area, not the street."""

import re

_US = re.compile(r"^(\d{5})(?:[ -]?\d{4})?$")
_GB = re.compile(r"^([A-Z]{1,2}\d[A-Z\d]?) ?\d[A-Z]{2}$|^([A-Z]{1,2}\d[A-Z\d]?)$")
_CA = re.compile(r"^([A-Z]\d[A-Z])(?: ?-?\d[A-Z]\d)?$")
_PREFIX = re.compile(r"^[A-Z]{1,3}-(?=\d)")  # "D-10115", "CH-8001"
_OTHER = re.compile(r"^[A-Z0-9][A-Z0-9 -]{1,9}$")


def area(text: str, country: str | None) -> str | None:
    """Return the routing part: US 5 digits, GB outward code, CA first three, NL first four, elsewhere the first five.

    None where `text` is no postcode of `country`.
    """
    code = text.strip(" \u3012").upper()
    if country == "US":
        if code.isdigit() and len(code) == 4:  # a leading zero that a spreadsheet ate
            code = "0" + code
        found = _US.match(code)
        return found[1] if found else None
    if country == "GB":
        found = _GB.match(code)
        return (found[1] or found[2]) if found else None
    if country == "CA":
        found = _CA.match(code)
        return found[1] if found else None
    if not _OTHER.match(code) or not any(character.isdigit() for character in code):
        return None
    code = re.sub(r"[ -]", "", _PREFIX.sub("", code))
    return code[:4] if country == "NL" else code[:5]
