"""What a division keeps of a scored lead is the JSON of its model, byte for byte."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decided import Decided
from schemas.decision import Decision, DecisionKind, Owner
from schemas.lead import AccountRef, Company, Contact, Disqualified, Fact, Lead, LeadScored, MailFacts, OpenDuplicate
from schemas.scored import NOTHING, Scored, without_contact
from schemas.wire import encode

AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)

instants = st.datetimes(
    datetime(2026, 1, 1),
    datetime(2027, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-5))]),
)
words = st.text(max_size=12)


@st.composite
def scored_leads(draw: st.DrawFn) -> LeadScored:
    """Leads with whatever a field may hold."""
    at = draw(instants)
    lead = Lead(
        event_id=draw(words),
        person=draw(words),
        source=draw(st.none() | words),
        submitted_at=at,
        received_at=draw(instants),
        mail=MailFacts(domain=draw(st.none() | words)),
        company=Company(name=draw(st.none() | words), revenue=draw(st.none() | st.floats(0, 1e18))),
        facts=draw(st.dictionaries(words, st.builds(Fact, provider=words, at=instants), max_size=2)),
        account=draw(st.none() | st.builds(AccountRef, domain=words, backup_until=st.none() | instants)),
        answers=draw(st.dictionaries(words, words | st.integers(0, 9) | st.floats(0, 9) | st.booleans(), max_size=3)),
        flags=tuple(draw(st.lists(words, max_size=2))),
    )
    return LeadScored(
        lead_id=draw(words),
        division=draw(words),
        lead=lead,
        contact=draw(st.none() | st.builds(Contact, email=words)),
        touch=draw(st.integers(1, 9)),
        intent=draw(words),
        icp=draw(st.booleans()),
        segment=draw(st.none() | words),
        tier=draw(words),
        score=draw(st.integers(0, 100)),
        score_parts=draw(st.dictionaries(words, st.integers(0, 9), max_size=2)),
        score_model=draw(words),
        policy_hash=draw(words),
        scored_at=at,
        duplicate=draw(st.none() | st.builds(OpenDuplicate, lead_id=words, tier=words, opened_at=instants)),
        disqualified=draw(st.none() | st.builds(Disqualified, lead_id=words, at=instants)),
    )


@given(scored_leads())
def test_what_is_kept_is_the_json_of_the_model_without_contact(scored: LeadScored) -> None:
    kept, bare = Scored.of(scored), scored.model_copy(update={"contact": None})
    assert kept.json == encode(bare)
    assert kept.lead_json == encode(scored.lead)
    assert kept.model == bare
    assert (kept.person, kept.segment, kept.score) == (scored.lead.person, scored.segment, scored.score)


@given(scored_leads())
def test_a_lead_without_its_contact_is_the_copy_that_pydantic_makes(scored: LeadScored) -> None:
    before = encode(scored)
    bare, copy = without_contact(scored), scored.model_copy(update={"contact": None})
    assert bare == copy
    assert bare.model_fields_set == copy.model_fields_set
    assert encode(bare) == encode(copy)
    assert encode(scored) == before


@given(scored_leads())
def test_what_is_read_from_a_store_is_what_was_kept(scored: LeadScored) -> None:
    kept = Scored.of(scored)
    read = Scored.read(orjson.loads(kept.json))
    assert read == kept
    assert read.lead_json == kept.lead_json
    assert (read.person, read.segment, read.score) == (kept.person, kept.segment, kept.score)
    assert read.model == kept.model


def test_of_a_lead_that_ended_nothing_is_kept() -> None:
    assert encode(NOTHING) == b"{}"


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        encode(object())


def test_a_decisions_effect_reads_its_model_and_carries_the_contact_in_its_bytes_alone() -> None:
    lead = Lead(event_id="e", person="p", submitted_at=AT, received_at=AT)
    decision = Decision(
        decision_id="d",
        lead_id="main.p.1",
        division="main",
        person="p",
        kind=DecisionKind.NOTED,
        cause="e",
        at=AT,
        epoch=1,
        owner=Owner(),
        reason="Noted.",
        tier="T1",
        lead=lead,
        policy_hash="",
    )
    effect = Decided("p", "tag", "main.p.1", DecisionKind.NOTED, [encode(decision) or b""])
    assert effect.value == decision
    contact = Contact(email="a@b.example")
    told = effect.told(encode(contact) or b"")
    assert told.value == decision
    assert told.pieces == effect.pieces
    assert Decision.model_validate_json(told.encoded or b"").contact == contact
