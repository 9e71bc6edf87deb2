"""Time zones: as stated, else the one zone that a country or state has."""

import importlib.resources
from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

import us

_BY_PLACE: Mapping[tuple[str, str], str] = {
    ("CA", "ON"): "America/Toronto", ("CA", "QC"): "America/Toronto", ("CA", "BC"): "America/Vancouver",
    ("CA", "AB"): "America/Edmonton", ("CA", "MB"): "America/Winnipeg", ("CA", "SK"): "America/Regina",
    ("CA", "NS"): "America/Halifax", ("CA", "NB"): "America/Moncton", ("CA", "NL"): "America/St_Johns",
    ("CA", "PE"): "America/Halifax", ("CA", "YT"): "America/Whitehorse", ("CA", "NT"): "America/Yellowknife",
    ("AU", "NSW"): "Australia/Sydney", ("AU", "VIC"): "Australia/Melbourne", ("AU", "QLD"): "Australia/Brisbane",
    ("AU", "SA"): "Australia/Adelaide", ("AU", "WA"): "Australia/Perth", ("AU", "TAS"): "Australia/Hobart",
    ("AU", "ACT"): "Australia/Sydney", ("AU", "NT"): "Australia/Darwin", ("BR", "SP"): "America/Sao_Paulo",
    ("BR", "RJ"): "America/Sao_Paulo", ("BR", "MG"): "America/Sao_Paulo", ("BR", "DF"): "America/Sao_Paulo",
    ("BR", "AM"): "America/Manaus", ("MX", "CMX"): "America/Mexico_City", ("MX", "JAL"): "America/Mexico_City",
    ("MX", "BCN"): "America/Tijuana",
}  # fmt: skip
# Countries with more than one zone in the table where nearly everyone lives in one.
_MAIN: Mapping[str, str] = {
    "DE": "Europe/Berlin", "ES": "Europe/Madrid", "PT": "Europe/Lisbon", "NZ": "Pacific/Auckland",
    "CN": "Asia/Shanghai", "CL": "America/Santiago", "AR": "America/Argentina/Buenos_Aires", "UA": "Europe/Kyiv",
    "MY": "Asia/Kuala_Lumpur", "EC": "America/Guayaquil", "CY": "Asia/Nicosia", "UZ": "Asia/Tashkent",
}  # fmt: skip


@cache
def _known() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones() if "/" in name or name == "UTC"}


@cache
def _of_states() -> Mapping[str, str]:
    return {state.abbr: state.capital_tz for state in us.states.STATES_AND_TERRITORIES if state.capital_tz}


@cache
def _of_countries() -> Mapping[str, str]:
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, list[str]] = {}
    for row in table.splitlines():
        if row and not row.startswith("#"):
            country, _, zone = row.split("\t")[:3]
            zones.setdefault(country, []).append(zone)
    return {**{country: names[0] for country, names in zones.items() if len(names) == 1}, **_MAIN}


def stated(text: str) -> str | None:
    """Return the IANA name of a zone as stated, or None where it is none."""
    return _known().get(text.strip().replace(" ", "_").lower())


def of_place(country: str | None, state: str | None) -> str | None:
    """Return the zone of headquarters: the state's capital's, else the country's only one. None: several."""
    if country is None:
        return None
    if country == "US":
        return _of_states().get(state or "")
    found = _BY_PLACE.get((country, state or ""))
    return found or _of_countries().get(country)
