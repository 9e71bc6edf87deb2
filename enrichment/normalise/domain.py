"""Domains: from an address or URL as typed to the registrable domain."""

import re
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@\s]*@)?([^\s/:?#,;|]+)", re.IGNORECASE)
_SLIPPED_SCHEME = re.compile(r"^https?[:;]?/+", re.IGNORECASE)  # "http//", "https:/"
_ASCII_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")

# Pages on these sites say nothing of who owns the domain.
SHARED_SITES_WORDS = (
    "linkedin.com facebook.com instagram.com twitter.com x.com youtube.com tiktok.com medium.com google.com "
    "github.com linktr.ee wa.me t.me crunchbase.com yelp.com glassdoor.com indeed.com bit.ly"
)
SHARED_SITES = frozenset(SHARED_SITES_WORDS.split())


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


def host(text: str) -> str | None:
    """Return the lower-case ASCII host of a URL, address or bare domain, or None where there is none."""
    found = _HOST.match(_SLIPPED_SCHEME.sub("https://", text.strip()))
    if found is None:
        return None
    name = found[1].strip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    if len(name) > 253 or not _ASCII_HOST.fullmatch(name) or name.rsplit(".", 1)[-1].isdigit():
        return None
    return name


@lru_cache(maxsize=16_384)  # one lead asks four times for the same host
def registrable(name: str) -> str | None:
    """Return the part of host `name` that somebody registered ("mail.acme.co.uk" -> "acme.co.uk"), or None."""
    return _suffixes().privatesuffix(name) or None


def of_site(text: str) -> str | None:
    """Return the registrable domain of a site as typed, or None."""
    name = host(text)
    return registrable(name) if name else None


@lru_cache(maxsize=16_384)
def parents(name: str) -> tuple[str, ...]:
    """Return `name` and the hosts above it down to the registrable domain, longest first."""
    top = registrable(name)
    if top is None:
        return (name,)
    extra = name[: -len(top)].strip(".")
    labels = extra.split(".") if extra else []
    return tuple(".".join([*labels[at:], top]) for at in range(len(labels) + 1))
