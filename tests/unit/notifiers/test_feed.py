"""Which records are events for receivers outside, and what an event says."""

import orjson
import pytest
from standardwebhooks import Webhook

from notifiers.feed import feed_event, posted
from notifiers.feed_event_type import EVENT_TYPES
from notifiers.outcome import Refused, Retryable
from notifiers.outside import outside
from notifiers.settings import ChannelSettings, WebhookSettings
from schemas.decision import DecisionKind
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import LeadEnriched, LeadScored, RawLead
from schemas.timer import WakeUp
from tests.lab.apis import plain_ok
from tests.lab.channels import SECRET
from tests.lab.decisions import NOW, PERSON, contact, decision, lead
from tests.lab.http_server import serving

ENRICHED = LeadEnriched(lead=lead(), contact=contact(), enriched_at=NOW)
SCORED = LeadScored(
    lead_id=f"main.{PERSON}.1",
    division="main",
    lead=lead(),
    contact=contact(),
    touch=1,
    intent="high",
    icp=True,
    tier="T1",
    score=82,
    score_parts={"fit": 82},
    score_model="m",
    policy_hash="h",
    scored_at=NOW,
)
SETTLED = NoticeSettled(
    decision_id="d1",
    lead_id=f"main.{PERSON}.1",
    division="main",
    person=PERSON,
    epoch=1,
    notice="owner",
    audience="owner",
    template="assignment",
    recipient="M1",
    channel="email",
    outcome=Outcome.DELIVERED,
    key="k",
    attempts=1,
    at=NOW,
)
RECORDS = {
    "lead.accepted": RawLead({"email": "coo@lone.example", "action": "demo"}),
    "lead.enriched": ENRICHED,
    "lead.scored": SCORED,
    "notice.settled": SETTLED,
    **{
        f"lead.{kind.value}": decision(kind=kind, trace={"rules": ["long"]})
        for kind in DecisionKind
        if kind is not DecisionKind.NOTED
    },
}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_that_can_be_asked_for_comes_from_a_record(name: str) -> None:
    event = feed_event("rec-1", RECORDS[name], PERSON, NOW)
    assert event is not None
    assert event.type == name
    assert event.id == feed_event("rec-1", RECORDS[name], PERSON, NOW).id  # type: ignore[union-attr]


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_data_of_an_event_names_nobody(name: str) -> None:
    event = feed_event("rec-1", RECORDS[name], PERSON, NOW)
    assert event is not None
    said = orjson.dumps(event.data, default=str).decode()
    for personal in ("coo@", "Cora", "12125550199", "linkedin"):
        assert personal not in said
    assert "trace" not in event.data


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="a tombstone"),
        pytest.param(WakeUp(waker="w", due_at=NOW, fired_at=NOW), id="a wake-up"),
        pytest.param(decision(kind=DecisionKind.NOTED), id="a decision that changed nothing"),
    ],
)
def test_what_happened_to_no_lead_is_no_event(value: object) -> None:
    assert feed_event("rec-1", value, PERSON, NOW) is None


def test_events_of_one_lead_go_out_in_order_whatever_the_topic_is_keyed_by() -> None:
    found = [feed_event("r", RECORDS[name], PERSON, NOW) for name in ("lead.enriched", "lead.scored", "lead.assigned")]
    assert {event.chain for event in found if event} == {PERSON}


@pytest.mark.parametrize("sends_contact", [True, False])
async def test_a_receiver_can_verify_it_and_gets_the_person_only_where_it_may(sends_contact: bool) -> None:
    event = feed_event("rec-1", RECORDS["lead.assigned"], PERSON, NOW)
    assert event is not None
    async with serving(plain_ok) as server, outside(ChannelSettings(allowed_hosts=frozenset({"127.0.0.1"}))) as way_out:
        receiver = WebhookSettings.model_validate(
            {"url": server.url, "secret": SECRET, "events": ["*"], "sends_contact": sends_contact}
        )
        await posted(event, receiver, way_out)
        server.mood.script = [503, 400]
        with pytest.raises(Retryable):
            await posted(event, receiver, way_out)
        with pytest.raises(Refused):
            await posted(event, receiver, way_out)
    (got,) = server.accepted
    said = Webhook(SECRET).verify(got.body, got.headers)
    assert got.headers["webhook-id"] == event.id
    assert (said["type"], said["timestamp"]) == ("lead.assigned", NOW.isoformat())
    assert said["data"]["owner"] == {"kind": "rep", "id": "M1"}
    assert ("contact" in said) is sends_contact


def test_an_event_that_there_is_not_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match=r"lead\.asigned: no such event; there are lead\.accepted"):
        WebhookSettings.model_validate({"url": "https://h.example", "secret": SECRET, "events": ["lead.asigned"]})
