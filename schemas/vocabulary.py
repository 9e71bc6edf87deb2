"""The words that ENRICH gives facts, whatever a writer called them: what rules may be written in.

`enrichment.normalise` reads a writer's text into them; lint tells whoever asks for a word that no lead ever has.
"""

from collections.abc import Mapping
from types import MappingProxyType

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "demo": ("demo", "demonstration", "book a call", "book call", "schedule a call", "see it in action"),
        "pricing": ("pricing", "price", "quote", "rfp", "rfq", "buy", "purchase", "cost"),
        "newsletter": ("newsletter", "subscribe", "blog"),
        "trial": ("trial", "signup", "sign up", "free account", "get started", "poc", "freemium"),
        "webinar": ("webinar", "event registration", "workshop", "masterclass"),
        "content": (
            "content",
            "whitepaper",
            "white paper",
            "ebook",
            "e book",
            "download",
            "case study",
            "guide",
            "report",
        ),
        "contact_sales": ("contact sales", "talk to sales", "speak to sales", "sales inquiry", "sales enquiry"),
        "contact": ("contact", "talk to", "question", "inquiry", "enquiry"),
        "qualified_chat": ("qualified chat",),
        "chat": ("chat",),
    }
)
"""What a person did -> what writers call it, in the order in which they are tried."""

SOURCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "chat": ("chat", "chatbot", "intercom", "drift", "live chat", "messenger"),
        "ads": ("ads", "ad", "adwords", "paid", "ppc", "cpc", "sem", "google ads", "lead ad", "lead gen form"),
        "social": ("social", "facebook", "linkedin", "twitter", "instagram", "x", "tiktok", "reddit"),
        "product": ("product", "trial", "signup", "sign up", "in app", "app"),
        "import": ("import", "csv", "bulk", "list", "upload"),
        "partner": ("partner", "reseller", "deal registration"),
        "referral": ("referral", "referred", "word of mouth", "affiliate"),
        "event": ("event", "conference", "trade show", "tradeshow", "booth", "expo"),
        "email": ("email", "e mail", "newsletter", "outbound"),
        "phone": ("phone", "call", "inbound call"),
        "api": ("api", "zapier", "make", "webhook"),
        "web": ("web", "website", "form", "web form", "organic", "seo", "direct", "landing page", "site"),
    }
)
"""Where a lead came from -> what writers call it, in the order in which they are tried."""

INDUSTRIES = (
    *("fintech", "ecommerce", "healthcare", "insurance", "education", "nonprofit", "government", "legal"),
    *("manufacturing", "media", "saas", "technology", "telecom", "real_estate", "financial_services", "automotive"),
    *("aerospace", "energy", "utilities", "hospitality", "consumer_goods", "retail", "construction", "materials"),
    *("transportation", "agriculture", "professional_services"),
)
SENIORITIES = ("founder", "c_level", "vp", "director", "manager", "senior", "ic", "entry")
DEPARTMENTS = (
    *("revenue_operations", "marketing", "sales", "support", "security", "it", "data", "product", "engineering"),
    *("finance", "hr", "legal", "procurement", "operations", "medical", "education", "executive"),
)


def read_as(word: str, words_of: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return which of `words_of` a text is read as, in lower-case words parted by spaces or "_"; None: none of them."""
    if word in words_of:
        return word
    padded = f" {word.replace('_', ' ')} "
    for name, known in words_of.items():
        if any(f" {said} " in padded or f" {said}s " in padded for said in known):
            return name
    return None
