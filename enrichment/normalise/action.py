"""What a person did and where the lead came from, as tokens that rules are written in."""

from collections.abc import Mapping

from enrichment.normalise.text import folded, token

_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "demo": ("demo", "demonstration", "book a call", "book call", "schedule a call", "see it in action"),
    "pricing": ("pricing", "price", "quote", "rfp", "rfq", "buy", "purchase", "cost"),
    "newsletter": ("newsletter", "subscribe", "blog"),
    "trial": ("trial", "signup", "sign up", "free account", "get started", "poc", "freemium"),
    "webinar": ("webinar", "event registration", "workshop", "masterclass"),
    "content": ("content", "whitepaper", "white paper", "ebook", "e book", "download", "case study", "guide", "report"),
    "contact": ("contact", "talk to", "question", "inquiry", "enquiry"),
    "chat": ("chat",),
}
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "chat": ("chat", "chatbot", "intercom", "drift", "live chat", "messenger"),
    "ads": ("ads", "ad", "adwords", "paid", "ppc", "cpc", "sem", "google ads", "lead ad", "lead gen form"),
    "social": ("social", "facebook", "linkedin", "twitter", "instagram", "x", "tiktok", "reddit"),
    "product": ("product", "trial", "signup", "sign up", "in app", "app"),
    "import": ("import", "csv", "bulk", "list", "upload"),
    "referral": ("referral", "referred", "word of mouth", "partner", "affiliate"),
    "event": ("event", "conference", "trade show", "tradeshow", "booth", "expo"),
    "email": ("email", "e mail", "newsletter", "outbound"),
    "phone": ("phone", "call", "inbound call"),
    "api": ("api", "zapier", "make", "webhook"),
    "web": ("web", "website", "form", "web form", "organic", "seo", "direct", "landing page", "site"),
}


def action(text: str, own: Mapping[str, str]) -> str | None:
    """Return the token of an act ("Request a Demo" -> "demo"). own: the org's words, which win."""
    return _found(text, own, _ACTIONS)


def source(text: str, own: Mapping[str, str]) -> str | None:
    """Return the token of a source ("Google Ads" -> "ads"). own: the org's words, which win."""
    return _found(text, own, _SOURCES)


def _found(text: str, own: Mapping[str, str], words_of: Mapping[str, tuple[str, ...]]) -> str | None:
    if text in words_of:
        return text
    words = folded(text)
    stated = own.get(text) or own.get(words) or (words if words in words_of else None)
    if stated:
        return stated
    padded = f" {words} "
    for name, known in words_of.items():
        if any(f" {word} " in padded or f" {word}s " in padded for word in known):
            return name
    return token(text)
