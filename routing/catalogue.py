"""The names that conditions may use: every fact with its kind, and the words of those with a closed set."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import get_args

from schemas.lead import AccountMatch, MailKind
from schemas.policy_file import Intent, Treatment

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FactKind(StrEnum):
    WORD = "word"
    NUMBER = "number"
    YES_NO = "yes or no"
    WORDS = "list of words"


_W, _N, _Y, _L = FactKind.WORD, FactKind.NUMBER, FactKind.YES_NO, FactKind.WORDS

KINDS: Mapping[str, FactKind] = MappingProxyType(
    {
        **{f"lead.{name}": _W for name in ("source", "channel", "campaign", "form", "action", "phone_country")},
        **{f"lead.{name}": _W for name in ("seniority", "department", "language", "timezone", "division")},
        **{f"lead.{name}": _W for name in ("product_interest", "service_type")},
        **{f"lead.{name}": _Y for name in ("has_phone", "bot_qualified", "has_consent", "is_bulk", "is_suspect")},
        **{f"lead.{name}": _Y for name in ("open_duplicate", "recycled")},
        **{f"lead.{name}": _N for name in ("disqualified_days", "touch", "history")},
        **{f"lead.{name}": _L for name in ("behaviour", "flags")},
        **{f"company.{name}": _W for name in ("name", "domain", "industry", "country", "state", "region", "city")},
        **{f"company.{name}": _W for name in ("postcode_area", "parent_domain", "funding")},
        **{f"company.{name}": _N for name in ("employees", "revenue")},
        "company.technologies": _L,
        "mail.domain": _W,
        "mail.kind": _W,
        "mail.is_role": _Y,
        **{f"account.{name}": _W for name in ("domain", "name", "owner", "opportunity_owner", "match")},
        **{f"account.{name}": _Y for name in ("is_named", "is_customer", "has_open_opportunity")},
        **dict.fromkeys(("intent", "segment", "tier", "treatment", "weekday", "time_of_day", "date"), _W),
        "icp": _Y,
        "score": _N,
        "hour": _N,
    }
)
"""Every fact by dotted name; besides these, answers.NAME (from forms) and calendar.NAME (open now) may be asked."""

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "intent": get_args(Intent),
        "treatment": tuple(Treatment),
        "weekday": WEEKDAYS,
        "mail.kind": tuple(MailKind),
        "account.match": tuple(AccountMatch),
        "company.region": ("amer", "emea", "apac"),
    }
)
"""Facts with a closed set of words, whatever the policy."""

OPEN_GROUPS = ("answers", "calendar")


def kind_of(name: str) -> FactKind | None:
    """Return the kind of a fact, None where there is no such fact. Answers of forms may be of any kind: words."""
    group, _, inner = name.partition(".")
    if group == "calendar" and inner:
        return FactKind.YES_NO
    if group == "answers" and inner:
        return FactKind.WORD
    return KINDS.get(name)
