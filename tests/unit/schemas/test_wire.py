from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.poison import Poison
from schemas.timer import WakeUp
from schemas.wire import VERSIONS, NewerSchema, decode, encode, headers_for, schema_version

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)


def test_a_model_comes_back_from_its_bytes() -> None:
    wake = WakeUp(waker="lead/main.aa.1", due_at=NOW, fired_at=NOW, data={"epoch": 1})
    assert decode("wake.up", 1, encode(wake)) == wake


def test_a_tombstone_decodes_to_none() -> None:
    assert decode("rep.put", 1, None) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"", "empty", id="an empty value"),
        pytest.param(b"\xff\xfe{", "not JSON", id="not UTF-8"),
        pytest.param(b'{"email": "a@b.c', "not JSON", id="truncated"),
        pytest.param(b'["a"]', "a lead is a JSON object", id="a list"),
        pytest.param(b'{"employees": NaN}', "not JSON", id="NaN"),
        pytest.param(b"[" * 100_000, "not JSON", id="nested too deeply"),
    ],
)
def test_an_unreadable_lead_is_poison_with_a_reason(value: bytes, reason: str) -> None:
    with pytest.raises(Poison, match=reason):
        decode("lead.submitted", 1, value)


def test_a_reason_names_the_field_and_never_the_value() -> None:
    with pytest.raises(Poison) as caught:
        decode("activity.reported", 1, b'{"kind": "jane@acme.example"}')
    assert "kind" in caught.value.reason
    assert "jane" not in caught.value.reason


def test_a_newer_schema_version_is_no_poison() -> None:
    with pytest.raises(NewerSchema):
        decode("lead.scored", VERSIONS["lead.scored"] + 1, b"{}")


def test_an_unknown_type_is_poison() -> None:
    with pytest.raises(Poison, match="unknown event type"):
        decode("lead.guessed", 1, b"{}")


def test_headers_carry_cloudevents_in_binary_mode() -> None:
    headers = dict(headers_for("e1", "lead.scored", "leadstream/score", NOW, {"traceparent": "00-aa"}))
    assert headers["ce_id"] == b"e1"
    assert headers["ce_time"] == b"2026-03-10T18:14:00.000Z"
    assert headers["traceparent"] == b"00-aa"
    assert schema_version({"ce_schemaversion": headers["ce_schemaversion"].decode()}) == VERSIONS["lead.scored"]


@pytest.mark.parametrize("said", ["next", "", "-1", "\u00b2", "9" * 5_000])
def test_a_schema_version_that_is_no_number_is_poison(said: str) -> None:
    with pytest.raises(Poison):
        schema_version({"ce_schemaversion": said})


@given(st.binary(max_size=200))
def test_any_bytes_are_a_lead_or_poison(value: bytes) -> None:
    try:
        decode("lead.submitted", 1, value)
    except Poison as poison:
        assert poison.reason
