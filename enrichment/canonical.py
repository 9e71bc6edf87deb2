"""From a submission as it came to a canonical lead and its contact."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enrichment.fields import Fields
from enrichment.normalise import (
    action,
    company,
    country,
    domain,
    headcount,
    industry,
    language,
    mail,
    name,
    phone,
    postcode,
    spam,
    subdivision,
    submitted,
    timezone,
    title,
)
from enrichment.normalise.text import NOT_SAID, folded
from enrichment.provenance import FORM, MAIL
from schemas.ids import is_division, person_id
from schemas.lead import Company, Contact, Fact, Lead, MailFacts, MailKind, RawLead
from schemas.org import Org
from schemas.region import region_of

# What people say of their company is taken as it is, an address proves more.
_FORM_CONFIDENCE = 0.6
_MAIL_CONFIDENCE = 0.9
_NAMES = ("name", "first_name", "last_name", "company")  # looked at as typed: what is tidied away may be the sign
_FACTS = {field: f"company.{field}" for field in Company.model_fields if field not in ("region", "technologies")}
QUALIFIED_CHAT = "qualified_chat"  # what a visitor did whom a bot has qualified, where nothing else is said
_BULK_AGE = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class _Place:
    country: str | None
    state: str | None
    postcode_area: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class _Person:
    mail: mail.Mail | None
    phone: phone.Phone | None
    name: name.Name
    title: str | None


def canonical(
    raw: RawLead, *, event_id: str, received_at: datetime, secret: bytes, org: Org, is_bulk: bool
) -> tuple[Lead, Contact]:
    """Return the canonical lead and its contact. Never raises: a field that cannot be read is flagged and kept raw.

    received_at: aware UTC, when the record was taken in. secret: what person ids are keyed with. is_bulk: imported.
    """
    fields = Fields(raw.fields)
    place = _place(fields)
    person = _person(fields, place, org)
    firm = _company(fields, person.mail, place)
    age = _BULK_AGE if is_bulk else timedelta(days=org.max_age_days)
    when = submitted.parse(fields.raw("submitted_at"), received_at, timedelta(seconds=org.max_clock_skew_seconds), age)
    if when.problem:
        fields.flag("submitted_at", when.problem)
    suspect = _suspect(fields, person, org)
    contact = _contact(fields, person)
    lead = _lead(fields, person, place, firm, org, event_id, secret, received_at, when.at, suspect, is_bulk)
    return lead, contact


def _place(fields: Fields) -> _Place:
    where = state = None
    stated = fields.text("country")
    if stated:
        where = country.code(stated)
    part = fields.text("state")
    if stated and where is None:
        found = subdivision.place(stated, None) if len(stated) > 2 else None  # "Texas" as a country
        if found is None and part and (other := country.code(part)):  # the two are swapped
            found, part = subdivision.place(stated, other), None
        where, state = found or (None, None)
        if found is None and folded(stated) not in NOT_SAID:
            fields.flag("country", "unknown")
    if part:
        found = subdivision.place(part, where)
        if found:
            where, state = found
        elif where in ("US", "CA") or stated is None:
            fields.flag("state", "unknown")
    code = fields.text("postcode")
    area = postcode.area(code, where) if code else None
    if code and area is None:
        fields.flag("postcode", "invalid")
    zone = fields.text("timezone")
    zone = timezone.stated(zone) if zone else None
    return _Place(where, state, area, zone or timezone.of_place(where, state))


def _person(fields: Fields, place: _Place, org: Org) -> _Person:
    rules = mail.mail_rules(org.mail)
    address = fields.text("email")
    box = mail.parse(address, rules) if address else None
    if address and box is None:
        fields.flag("email", "invalid")
    if box and box.look_alike:
        fields.flag("email", "look_alike")
    if box and box.is_competitor:
        fields.flag("email", "competitor")
    digits = fields.text("phone")
    number = phone.parse(digits, place.country or org.default_country) if digits else None
    if digits and number is None:
        fields.flag("phone", "invalid")
    if number and number.kind in ("premium", "toll_free"):
        fields.flag("phone", number.kind)
    parts = name.parts(_called(fields, "name"), _called(fields, "first_name"), _called(fields, "last_name"))
    return _Person(box, number, parts, fields.text("title"))


def _called(fields: Fields, field: str) -> str | None:
    """Return a name that can be one: a number or an address in its place is flagged."""
    text = fields.text(field)
    if text is None or (any(map(str.isalpha, text)) and "@" not in text):
        return text
    fields.flag(field, "invalid")
    return None


def _company(fields: Fields, box: mail.Mail | None, place: _Place) -> Company:
    called = fields.public("company")
    site = fields.text("website")
    own = domain.of_site(site) if site else None
    if site and own is None:
        fields.flag("website", "invalid")
    if own in domain.SHARED_SITES:
        fields.flag("website", "shared")
        own = None
    proven = box.domain if box and box.kind is MailKind.BUSINESS else None
    if proven and own and proven != own:
        fields.flag("website", "differs")
    size = fields.raw("employees")
    count = headcount.number(size)
    if count is None and fields.text("employees"):
        fields.flag("employees", "invalid")
    sector = fields.text("industry")
    branch = industry.slug(sector) if sector else None
    if sector and branch is None and folded(sector) not in NOT_SAID:
        fields.flag("industry", "unknown")
    return Company(
        name=company.name(called) or None if called else None,
        domain=proven or own,
        employees=count,
        industry=branch,
        country=place.country,
        state=place.state,
        region=region_of(place.country) if place.country else None,
        city=name.cased(fields.public("city")),
        postcode_area=place.postcode_area,
    )


def form_facts(firm: Company, proven_by_mail: bool, at: datetime) -> dict[str, Fact]:
    """Return where each known field of a lead's own `firm` comes from: its form, the domain from its address."""
    said = Fact(provider=FORM, at=at, confidence=_FORM_CONFIDENCE)
    known = {_FACTS[field]: said for field, value in firm.__dict__.items() if value is not None and field in _FACTS}
    if proven_by_mail:
        known["company.domain"] = Fact(provider=MAIL, at=at, confidence=_MAIL_CONFIDENCE)
    return known


def _suspect(fields: Fields, person: _Person, org: Org) -> tuple[str, ...]:
    found = spam.signs(
        fields.raw("trap"),
        fields.number("fill_seconds"),
        tuple(text for text in map(fields.raw, _NAMES) if isinstance(text, str)),
        fields.body("message"),
        org.spam.min_fill_seconds,
    )
    box = person.mail
    if box and box.kind is MailKind.DISPOSABLE:
        found += ("email.disposable",)
    if box and box.is_blocked:
        found += ("email.blocked",)
    return found


def _contact(fields: Fields, person: _Person) -> Contact:
    message, transcript = fields.body("message"), fields.talk("transcript")
    said = {name for name, text in (("message", message), ("transcript", transcript)) if text}
    kept = {key: value for key, value in fields.all() if key not in said}
    return Contact(
        email=person.mail.address if person.mail else None,
        phone=person.phone.e164 if person.phone else None,
        name=person.name.full,
        first_name=person.name.first,
        last_name=person.name.last,
        title=person.title,
        linkedin=fields.text("linkedin"),
        message=message,
        transcript=transcript,
        raw=kept,
    )


def _identity(person: _Person, event_id: str) -> str:
    if person.mail:
        return f"mail:{person.mail.identity}"
    return f"phone:{person.phone.e164}" if person.phone else f"event:{event_id}"


def _mail_facts(fields: Fields, box: mail.Mail | None) -> MailFacts:
    if box is None:
        return MailFacts(kind=MailKind.INVALID if "email.invalid" in fields.flags else MailKind.NONE)
    return MailFacts(domain=box.domain, kind=box.kind, is_role=box.is_role)


def _division(fields: Fields) -> str | None:
    stated = fields.text("division")
    if stated and not is_division(stated):
        fields.flag("division", "invalid")
        return None
    return stated


def _lead(
    fields: Fields, person: _Person, place: _Place, firm: Company, org: Org, event_id: str, secret: bytes,
    received_at: datetime, submitted_at: datetime, suspect: tuple[str, ...], is_bulk: bool,
) -> Lead:  # fmt: skip
    did, source, spoken = fields.public("action"), fields.public("source"), fields.text("language")
    tongue = language.code(spoken) if spoken else None
    if spoken and tongue is None:
        fields.flag("language", "unknown")
    box, has_bot = person.mail, fields.claim("bot_qualified") or False
    deed = action.action(did, org.actions) if did else None
    values = {
        "event_id": event_id,
        "person": person_id(secret, _identity(person, event_id)),
        "source": action.source(source, org.sources) if source else ("import" if is_bulk else None),
        "channel": fields.public("channel"),
        "campaign": fields.public("campaign"),
        "form": fields.public("form"),
        "action": deed or (QUALIFIED_CHAT if has_bot else None),
        "submitted_at": submitted_at,
        "received_at": received_at,
        "mail": _mail_facts(fields, box),
        "has_phone": person.phone is not None,
        "phone_country": person.phone.country if person.phone else None,
        "company": firm,
        "facts": form_facts(firm, bool(box and box.kind is MailKind.BUSINESS), received_at),
        "seniority": title.seniority(person.title) if person.title else None,
        "department": title.department(person.title) if person.title else None,
        "language": tongue,
        "timezone": place.timezone,
        "product_interest": fields.public("product_interest"),
        "service_type": fields.public("service_type"),
        "behaviour": fields.behaviour(),
        "answers": fields.answers(),
        "bot_qualified": has_bot,
        "has_consent": fields.claim("consent"),
        "foreign_id": fields.public("foreign_id"),
        "division": _division(fields),
        "is_test": fields.claim("is_test") or False,
    }
    return Lead(**values, suspect=suspect, is_bulk=is_bulk, flags=tuple(dict.fromkeys(fields.flags)))
