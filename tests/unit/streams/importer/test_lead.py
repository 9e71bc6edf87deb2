"""From rows to leads with ids that stay."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from streams.importer.lead import Import, ImportedLead, RejectedRow, imported, is_anonymous
from streams.importer.rows import Row

PLAN = Import({}, "hubspot", {"action": "content"})


def leads(*fields: dict[str, Any], plan: Import = PLAN) -> list[ImportedLead]:
    found = list(imported([Row(n, one) for n, one in enumerate(fields, 2)], plan))
    assert all(isinstance(one, ImportedLead) for one in found)
    return [one for one in found if isinstance(one, ImportedLead)]


def ids(found: Sequence[ImportedLead]) -> list[str]:
    return [one.event_id for one in found]


ADA = {"Email": "ada@b.example", "Record ID": "7"}
BOB = {"Email": "bob@b.example", "Record ID": "8"}


def test_a_row_becomes_a_lead_in_our_fields() -> None:
    (lead,) = leads({**ADA, "Favourite colour": "red", "Marketing consent": "Yes"})
    fields = orjson.loads(lead.value)
    assert fields == {
        "id": lead.event_id,
        "source": "import",
        "action": "content",
        "email": "ada@b.example",
        "foreign_id": "hubspot:7",
        "Favourite colour": "red",
        "consent": True,
    }


def test_the_same_rows_get_the_same_ids_in_whatever_order_and_company() -> None:
    first, second = ids(leads(ADA, BOB))
    assert ids(leads(BOB, {"Email": "new@b.example"}, ADA))[::2] == [second, first]


def test_equal_rows_of_one_file_have_ids_of_their_own_that_stay() -> None:
    twice = ids(leads(ADA, ADA))
    assert len(set(twice)) == 2
    assert ids(leads(ADA, BOB, ADA))[::2] == twice


def test_a_row_that_changed_is_another_lead() -> None:
    assert ids(leads(ADA)) != ids(leads({**ADA, "Phone": "1"}))


def test_a_row_keeps_what_it_says_over_the_default() -> None:
    (lead,) = leads({**ADA, "Action": "demo", "Lead Source": "fair"})
    fields = orjson.loads(lead.value)
    assert (fields["action"], fields["source"]) == ("demo", "fair")


def test_a_row_that_nobody_could_act_on_is_rejected_with_its_number_and_no_value() -> None:
    (one,) = imported([Row(9, {"Industry": "secret sauce"})], PLAN)
    assert one == RejectedRow(9, "none of email, phone, foreign_id, company, website, linkedin is given")


@pytest.mark.parametrize(
    ("columns", "mapping", "defaults", "told"),
    [
        pytest.param(("ada@stripe.com", "Stripe"), {}, {}, True, id="a row in the header's place"),
        pytest.param(("Wer", "Firma"), {}, {}, True, id="names that nobody knows"),
        pytest.param(("Wer", "Firma"), {"Wer": "email"}, {}, False, id="a name that is said"),
        pytest.param(("Wer",), {}, {"company": "Acme"}, False, id="one company for all"),
        pytest.param(("Country", "E-Mail"), {}, {}, False, id="a known name"),
    ],
)
def test_columns_that_can_tell_of_nobody_are_noticed(
    columns: tuple[str, ...], mapping: dict[str, str], defaults: dict[str, str], told: bool
) -> None:
    assert is_anonymous(columns, Import(mapping, "", defaults)) is told


def test_an_unreadable_row_keeps_its_reason() -> None:
    assert list(imported([Row(3, {}, "no JSON: x")], PLAN)) == [RejectedRow(3, "no JSON: x")]


def test_a_number_too_large_for_json_rejects_its_row_alone() -> None:
    rejected, taken = imported([Row(2, {"email": "a@b.example", "n": 2**70}), Row(3, ADA)], PLAN)
    assert isinstance(rejected, RejectedRow)
    assert isinstance(taken, ImportedLead)
