"""Job titles, to seniority and department. The title itself stays with the person."""

import re
from functools import lru_cache

from enrichment.normalise.text import folded

SENIORITIES: tuple[tuple[str, str], ...] = (
    ("entry", r"\b(?:executive|personal) assistant\b|\bassistant to\b"
              r"|\bintern\b|trainee|apprentice|working student|werkstudent|\bstudent\b|graduate"),
    ("founder", r"founder|(?<!product )(?<!process )\bowner\b|proprietor|inhaber|grunder|entrepreneur"),
    ("vp", r"\be?s?vp\b|vice president|\bavp\b"),
    ("c_level", r"\bc[a-z]{1,2}o\b|\bcxo\b|\bchief\b(?! of staff)|\bpresident\b|geschaftsfuhr|managing director"
                r"|general counsel|\bmd\b|vorstand|general manager|directeur general|\bpdg\b|chairman|chairwoman"
                r"|(?<!business )\bpartner\b(?!ship)(?! manager)"),
    ("director", r"director|\bhead\b|\bdir\b|leiter|directeur|\bprincipal of\b|\bdean\b|chief of staff"),
    ("manager", r"gerente|\bjefe\b|manager|\bmgr\b|supervisor|team lead|\blead\b(?! gen)|\bleader\b|coordinator"
                r"|responsable|superintendent"),
    ("senior", r"senior|\bsr\b|principal|\bstaff\b|architect|expert|specialist"),
    ("entry", r"junior|\bjr\b|assistant|associate"),
)  # fmt: skip
DEPARTMENTS: tuple[tuple[str, str], ...] = (
    ("revenue_operations", r"revops|revenue op|sales op|marketing op|salesforce admin"),
    ("marketing", r"marketing|\bcmo\b|growth|demand gen|brand|content|\bseo\b|communications|\bpr\b"),
    ("sales", r"\bsales\b|\bv[ae]nt[ae]s\b|\bvendas\b|\bvendite\b"
              r"|\bcro\b|revenue|business development|\bbdr\b|\bsdr\b|account exec|vertrieb|commercial"),
    ("support", r"support|customer success|customer service|customer experience|\bcco\b"),
    ("security", r"security|\bciso\b|infosec"),
    ("it", r"informati[kqc]|\bit\b|\bcio\b|information tech|information officer|infrastructure|sysadmin"
           r"|systems? admin|network|devop"),
    ("data", r"\bdata\b|analytics|\bbi\b|machine learning|\bcdo\b|scientist"),
    ("product", r"\bproduct\b|\bcpo\b|\bux\b|designer"),
    ("engineering", r"engineer|\bcto\b|technology|technical|developer|software|programmer|\br d\b|architect|entwickl"),
    ("finance", r"financ|\bcfo\b|accountant|accounting|controller|treasur|\btax\b|audit"),
    ("hr", r"\bhr\b|human resource|people|talent|recruit|\bchro\b|payroll"),
    ("legal", r"legal|counsel|attorney|lawyer|compliance|paralegal"),
    ("procurement", r"procure|purchas|buyer|sourcing|einkauf"),
    ("operations", r"operation|\bcoo\b|logistic|supply chain|plant|facilit|\bops\b"),
    ("medical", r"physician|doctor|nurse|medical|clinical|surgeon|dentist"),
    ("education", r"teacher|professor|lecturer"),
    ("executive", r"\bceo\b|founder|owner|president|managing director|geschaftsfuhr|general manager|chief executive"
                  r"|inhaber|chairman|\bpartner\b"),
)  # fmt: skip
_SENIORITIES = tuple((name, re.compile(pattern)) for name, pattern in SENIORITIES)
_DEPARTMENTS = tuple((name, re.compile(pattern)) for name, pattern in DEPARTMENTS)
_CHIEFS_WORDS = "ceo cto cfo coo cio cmo cro cpo ciso cco cdo chro cso cxo cao clo"
_CHIEFS = frozenset(_CHIEFS_WORDS.split())
_ABBREVIATED = re.compile(r"\b([A-Za-z])\.(?=[A-Za-z]\b)")  # "C.E.O."
_WORD_C = re.compile(r"\bc[a-z]{1,3}o\b")


def _words(title: str) -> str:
    return folded(_ABBREVIATED.sub(r"\1", title) if "." in title else title)


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def seniority(title: str) -> str | None:
    """Return founder, c_level, vp, director, manager, senior, ic or entry; None where the title says nothing."""
    words = _words(title)
    if not words:
        return None
    for name, pattern in _SENIORITIES:
        found = pattern.search(words)
        if found and not (name == "c_level" and _WORD_C.fullmatch(found[0]) and found[0] not in _CHIEFS):
            return name
    return "c_level" if _CHIEFS.intersection(words.split()) else "ic"


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def department(title: str) -> str | None:
    """Return the department that a title names, or None."""
    words = _words(title)
    return next((name for name, pattern in _DEPARTMENTS if pattern.search(words)), None)
