"""The sales region that a country lies in."""

_APAC_WORDS = (
    "AF AS AU BD BN BT CC CK CN CX FJ FM GU HK HM ID IN IO JP KG KH KI KP KR KZ LA LK MH MM MN MO MP MV MY NC NF "
    "NP NR NU NZ PF PG PH PK PN PW SB SG TH TJ TK TL TM TO TV TW UM UZ VN VU WF WS"
)
_APAC = frozenset(_APAC_WORDS.split())
_AMER_WORDS = (
    "AG AI AR AW BB BL BM BO BQ BR BS BZ CA CL CO CR CU CW DM DO EC FK GD GF GL GP GS GT GY HN HT JM KN KY LC MF "
    "MQ MS MX NI PA PE PM PR PY SR SV SX TC TT US UY VC VE VG VI"
)
_AMER = frozenset(_AMER_WORDS.split())


def region_of(country: str) -> str:
    """Return amer, apac or emea, the region that sells to alpha-2 `country`."""
    if country in _AMER:
        return "amer"
    return "apac" if country in _APAC else "emea"
