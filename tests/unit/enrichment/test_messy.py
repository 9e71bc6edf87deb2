"""What people really type: records made by hand, each with the canonical form that it should get."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enrichment.canonical import canonical
from schemas.ids import person_id
from schemas.lead import RawLead
from schemas.org import Org

FILE = Path(__file__).parents[2] / "golden" / "messy.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
AT = datetime(2026, 3, 10, 14, 14, 1, tzinfo=UTC)
SECRET = b"secret"


def found(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the canonical form of `raw`, flat, under the names of the file."""
    lead, contact = canonical(RawLead(raw), event_id="e", received_at=AT, secret=SECRET, org=Org(), is_bulk=False)
    firm = lead.company
    return {
        "email": contact.email, "phone": contact.phone, "name": contact.name, "first": contact.first_name,
        "last": contact.last_name, "phone_country": lead.phone_country, "domain": lead.mail.domain,
        "kind": lead.mail.kind.value, "is_role": lead.mail.is_role, "company": firm.name, "company_domain": firm.domain,
        "employees": firm.employees, "industry": firm.industry, "country": firm.country, "state": firm.state,
        "postcode": firm.postcode_area, "timezone": lead.timezone, "action": lead.action, "source": lead.source,
        "seniority": lead.seniority, "department": lead.department, "language": lead.language,
        "has_consent": lead.has_consent, "flags": list(lead.flags), "suspect": list(lead.suspect),
        "person_mail": lead.person, "submitted": lead.submitted_at.isoformat(),
    }  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[json.dumps(row["raw"])[:60] for row in ROWS])
def test_a_messy_record_gets_its_canonical_form(row: dict[str, Any]) -> None:
    expected = dict(row["expect"])
    if "person_mail" in expected:
        expected["person_mail"] = person_id(SECRET, f"mail:{expected['person_mail']}")
    said = found(row["raw"])
    assert {name: said[name] for name in expected} == expected


def test_the_set_is_as_large_as_the_docs_say() -> None:
    assert len(ROWS) == 713
    assert len({json.dumps(row["raw"], sort_keys=True) for row in ROWS}) == len(ROWS)
