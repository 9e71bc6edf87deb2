"""Industries, to the one taxonomy that rules are written in."""

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import fuzz, process

from enrichment.normalise import industry_words
from enrichment.normalise.text import folded

# Order is precedence: the first pattern that is found in the folded text decides.
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("fintech", r"fin ?tech|payments?\b|digital bank|neobank|crypto|blockchain|insur ?tech|reg ?tech"),
    ("ecommerce", r"e ?commerce|online retail|online shop|internet retail|marketplace"
                  r"|comercio electronico"),
    ("healthcare", r"health|hospital|medic|pharma|biotech|life science|clinic|dental|dentist|drug(?! retail)|diagnostic"
                   r"|therap|veterinar|wellness"),
    ("insurance", r"insur|underwrit"),
    ("education", r"educat|school|universit|college|e ?learning|ed ?tech|training|academ"
                  r"|\bhigher ed\b|\bk ?12\b"),
    ("nonprofit", r"non ?profit|not for profit|charit|\bngo\b|foundation|philanthrop|religio|church"),
    ("government", r"government|public sector|public admin|municipal|federal|military|\bstate agency"),
    ("legal", r"\blegal|\blaw\b|law firm|law practice|lawyer|attorney"),
    ("manufacturing", r"manufactur|\bmfg\b|machinery|industrial (?:goods|machine|conglomerate|engineering|prod|equip)"
                      r"|semicond|electronic|electric(?:al)? (?:machin|compon|equip)|precision|fabricat|factory"
                      r"|automation"
                      r"|machine tool|appliance|robotics|heavy equip"),
    ("media", r"media|publish|broadcast|entertainment|film|music|television|newspaper|gaming|video game|game dev|news"
              r"|\bgames?\b"),
    ("saas", r"\bsaas|software|cloud|internet (?:service|software|platform)|web service|\bapps?\b|platform"
             r"|cyber ?security|\bai\b|artificial int|machine learn|data analytics"),
    ("technology", r"information tech|\bit\b|\bict\b|technology|computer|hardware|hi tech|high tech|\btech\b|network"),
    ("telecom", r"telecom|telco|wireless|mobile operator|communication(?! service)|broadband"),
    ("real_estate", r"real estate|\breits?\b|\bretis?\b|property|immobilien|realty|homebuild"),
    ("financial_services", r"bank|finan|invest|capital market|asset manag|wealth|lending|credit|securities|accounting"
                           r"|private equity|venture|hedge|broker|mortgage|holding"),
    ("automotive", r"automo|\bcars?\b|\bauto\b|autos|vehicle|truck|tires?\b|tyres?\b|motorcycle"),
    ("aerospace", r"aerospace|defen[cs]e|aircraft|aviation|space"),
    ("energy", r"energy|oil|gas\b|petrol|fossil|solar|wind power|renewable|coal|drilling"),
    ("utilities", r"utilit|electric power|water supply|\belectricity|waste|environmental serv"),
    ("hospitality", r"hotel|hospitality|restaurant|travel|tourism|leisure|casino|cruise|catering|resort|food service"),
    ("consumer_goods", r"consumer|food|beverage|drink|tobacco|apparel|textile|fashion|cosmetic|household|personal prod"
                       r"|toys?\b|luxury|furniture|footwear|brewer|beauty|cloth|sporting|jewel"),
    ("retail", r"retail|supermarket|grocer|department store|wholesale|distribution|store|shop"),
    ("construction", r"construct|\bhvac\b|plumbing|roofing|building|engineering|architect|contractor"
                     r"|cement|infrastructure"),
    ("materials", r"chemi|material|steel|metal|mining|mineral|paper|packag|plastic|glass|rubber|forest|lumber|timber"),
    ("transportation", r"transport|logisti|luftfahrt|mobilitat|shipping|freight|airline|rail|courier"
                       r"|deliver|supply chain|airport|marine"),
    ("agriculture", r"agri|farm|fish|crop|livestock"),
    ("professional_services", r"consult|beratung|dienstleistung|professional|business serv|commercial serv|support serv"
                              r"|staffing|recruit|marketing|advertis|agency|outsourc|research"
                              r"|human resources|\bservices\b|design"
                              r"|audit|security serv"),
    ("telecom", r"communication"),
    ("healthcare", r"\bcare\b"),
    ("manufacturing", r"industrial|conglomerate|diversified|hardware|equipment|trading compan"),
)  # fmt: skip

TAXONOMY = tuple(dict.fromkeys(name for name, _ in _PATTERNS))
_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in (*_PATTERNS, *industry_words.PATTERNS))
_TYPO_SCORE = 88
_EXACT = {name.replace("_", " "): name for name in TAXONOMY} | {
    "it": "technology",
    "bfsi": "financial_services",
    "cpg": "consumer_goods",
    "fmcg": "consumer_goods",
    "hr": "professional_services",
    "b2b saas": "saas",
    "sass": "saas",
    "edtech": "education",
    "healthtech": "healthcare",
    "medtech": "healthcare",
    "proptech": "real_estate",
    "govtech": "government",
    "industrials": "manufacturing",
    "internet": "saas",
    "financials": "financial_services",
}

# Sectors so wide that any other word of the list says more.
_WIDE_WORDS = (
    "industrials|services|technology|information technology|consumer discretionary|consumer staples|financials|"
    "consumer cyclicals|consumer non cyclicals|basic materials|industrial goods|communication services|materials|"
    "healthcare|health care|conglomerate|manufacturing|energy|utilities|real estate|electric machinery"
)
_WIDE = frozenset(_WIDE_WORDS.split("|"))


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def slug(text: str) -> str | None:
    """Return the industry that `text` names, a member of TAXONOMY, or None where it names none."""
    words = folded(text.replace("&", " and "))
    found = _EXACT.get(words) or next((name for name, pattern in _COMPILED if pattern.search(words)), None)
    if found:
        return found
    if not text.isascii():
        return next((name for sign, name in industry_words.SIGNS if sign in text.lower()), None)
    if len(words) < 6:
        return None
    near = process.extractOne(words, tuple(_EXACT), scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE)
    return _EXACT[near[0]] if near else None


def slug_of_any(texts: Iterable[str]) -> str | None:
    """Return the industry of a list, asking its narrow entries before its wide ones ("Technology", "Industrials")."""
    rows = list(texts)
    narrow = [text for text in rows if folded(text) not in _WIDE]
    for text in (*narrow, *rows):
        found = slug(text)
        if found:
            return found
    return None
