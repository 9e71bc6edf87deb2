"""The usual column names of CRMs and form tools, and the field of ours that each is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Our field -> names that Salesforce, HubSpot, Dynamics 365, Zoho, Pipedrive, LinkedIn and Meta lead forms, and people
# give it. Case, spaces and punctuation don't count. Earlier fields win where a file has two columns for one.
NAMES: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "e-mail", "email address", "email address 1", "emailaddress1", "work email", "business email",
              "person - email", "primary email", "e-mail address", "mail"),
    "phone": ("phone", "phone number", "business phone", "mobile phone", "mobile", "telephone", "telephone1",
              "work phone", "person - phone", "mobile phone number", "tel"),
    "first_name": ("first name", "firstname", "given name", "person - first name", "first"),
    "last_name": ("last name", "lastname", "surname", "family name", "person - last name", "last"),
    "name": ("name", "full name", "fullname", "lead name", "contact name", "contact person", "person - name"),
    "title": ("title", "job title", "jobtitle", "position", "role", "designation"),
    "linkedin": ("linkedin", "linkedin url", "linkedin profile", "linkedin bio", "linkedin profile url"),
    "company": ("company", "company name", "companyname", "account name", "organization", "organisation",
                "organization - name", "organization name", "employer", "associated company"),
    "website": ("website", "website url", "company website", "company domain", "company domain name", "domain", "url",
                "websiteurl", "web site"),
    "employees": ("employees", "number of employees", "no of employees", "no. of employees", "numberofemployees",
                  "company size", "employee count", "headcount", "number of employees range"),
    "industry": ("industry", "industrycode", "sector", "vertical"),
    "country": ("country", "country/region", "country code", "address 1: country/region", "address1_country",
                "billing country", "mailing country"),
    "state": ("state", "state/region", "state/province", "state code", "address 1: state/province",
              "address1_stateorprovince", "province", "region", "billing state"),
    "city": ("city", "town", "address 1: city", "address1_city", "billing city"),
    "postcode": ("postcode", "postal code", "zip", "zip code", "zip/postal code", "zippostal code",
                 "address 1: zip/postal code", "address1_postalcode"),
    "action": ("action", "lead action", "conversion", "recent conversion", "first conversion", "conversion event",
               "request type", "interest"),
    "source": ("source", "lead source", "leadsource", "leadsourcecode", "original source", "original traffic source",
               "lead - source", "utm source"),
    "channel": ("channel", "source channel", "utm medium", "medium"),
    "campaign": ("campaign", "campaign name", "campaignid", "utm campaign", "last campaign"),
    "form": ("form", "form name", "form id", "form title"),
    "submitted_at": ("submitted at", "created date", "create date", "created time", "created on", "createdon",
                     "createdate", "date created", "created at", "lead created", "lead - lead created",
                     "submission date", "timestamp"),
    "message": ("message", "description", "comments", "notes", "note", "questions"),
    "language": ("language", "preferred language", "locale"),
    "product_interest": ("product interest", "productinterest", "product", "product of interest"),
    "service_type": ("service type", "service"),
    "foreign_id": ("foreign id", "record id", "lead id", "leadid", "contact id", "id", "lead - id", "person - id",
                   "(do not modify) lead", "record id. lead"),
    "consent": ("consent", "opt in", "opted in", "marketing consent", "gdpr consent"),
    "division": ("division", "business unit"),
    "is_test": ("is test", "test"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column goes where. fields: column -> our field. kept: columns that stay as they are, under their name."""

    fields: Mapping[str, str]
    kept: tuple[str, ...]


def normalised(column: str) -> str:
    """Return the name as it is compared: lower case, letters and digits only."""
    return re.sub(r"[\W_]+", "", column.casefold())


_FIELD_OF = {normalised(name): field for field, names in NAMES.items() for name in (field, *names)}


def mapping_of(columns: Iterable[str], chosen: Mapping[str, str]) -> ColumnMapping:
    """Return what each column is. chosen: column -> our field, over the usual names; "" drops the column.

    Of two columns for one field the first keeps it; the other stays under its own name.
    """
    fields: dict[str, str] = {}
    kept: list[str] = []
    taken = {field for field in chosen.values() if field}
    for column in columns:
        if column in chosen:
            if chosen[column]:
                fields[column] = chosen[column]
            continue
        field = _FIELD_OF.get(normalised(column))
        if field is None or field in taken:
            kept.append(column)
        else:
            fields[column] = field
            taken.add(field)
    return ColumnMapping(fields, tuple(kept))
