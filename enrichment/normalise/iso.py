"""The rows of ISO's standards (pycountry), for those who make a table of their own from them once.

pycountry keeps what it has read, indexed by each field, and gettext each catalogue: 7,900 languages are megabytes that
a stage would hold for good. So each is read into an object of its own, which goes when its reader is done.
"""

import gettext
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycountry


def countries() -> Iterator[Any]:
    """Yield ISO 3166-1: alpha_2, alpha_3, name and, of some, official_name and common_name."""
    return iter(pycountry.ExistingCountries(pycountry.countries.filename))


def country_names(language: str) -> gettext.NullTranslations:
    """Return the names of countries in a language, as gettext has it ("de", "nb_NO"): by their English names."""
    found = gettext.find("iso3166-1", pycountry.LOCALES_DIR, [language])
    if found is None:
        return gettext.NullTranslations()
    with Path(found).open("rb") as catalogue:
        return gettext.GNUTranslations(catalogue)


def subdivisions() -> Iterator[Any]:
    """Yield ISO 3166-2: country_code, code, name."""
    return iter(pycountry.Subdivisions(pycountry.subdivisions.filename))


def languages() -> Iterator[Any]:
    """Yield ISO 639-3: alpha_3, name and, of some, alpha_2."""
    return iter(pycountry.Languages(pycountry.languages.filename))
