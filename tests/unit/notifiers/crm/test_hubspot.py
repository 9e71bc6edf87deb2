from notifiers.channels import crm
from notifiers.message import Body, Message
from notifiers.outside import outside
from notifiers.settings import ChannelSettings
from tests.lab.apis import HubSpot, Salesforce
from tests.lab.http_server import serving


def message(**more: object) -> Message:
    return Message(
        lead_id="main.4f.1",
        decision_id="d1",
        person="4f",
        template="assignment",
        audience="crm",
        recipient="crm",
        to="crm",
        body=Body("s", "t"),
        data={
            "tier": "T1",
            "rule": "mid-market",
            "score": 82,
            "owner_crm_id": "7001",
            "company": {"name": "Lone Inc"},
            "contact_due_at": "2026-03-10T14:19:00+00:00",
            **more,
        },
        contact={"name": "Cora Lone", "email": "coo@lone.example"},
    )


async def hubspot_after(api: HubSpot, *messages: Message) -> HubSpot:
    async with serving(api) as server:
        settings = ChannelSettings.model_validate({"crm": {"hubspot": {"token": "t", "base_url": server.url}}})
        async with outside(settings) as way_out:
            for one in messages:
                await crm.send(one, "k", way_out, 60)
    return api


async def test_the_contact_carries_owner_tier_rule_due_and_our_id() -> None:
    api = await hubspot_after(HubSpot(), message())
    assert api.contacts == {
        "main.4f.1": {
            "leadstream_id": "main.4f.1",
            "hubspot_owner_id": "7001",
            "email": "coo@lone.example",
            "firstname": "Cora",
            "lastname": "Lone",
            "company": "Lone Inc",
            "leadstream_tier": "T1",
            "leadstream_rule": "mid-market",
            "leadstream_score": "82",
            "leadstream_due": "2026-03-10T14:19:00+00:00",
        }
    }


async def test_a_second_write_changes_the_same_record() -> None:
    api = await hubspot_after(HubSpot(), message(), message(tier="T2"))
    assert [row["leadstream_tier"] for row in api.contacts.values()] == ["T2"]


async def test_a_contact_that_hubspot_knew_by_its_mail_address_is_taken_over() -> None:
    api = await hubspot_after(HubSpot(taken={"coo@lone.example": "1042"}), message())
    assert list(api.contacts) == ["1042"]
    assert api.contacts["1042"]["leadstream_id"] == "main.4f.1"


async def test_a_lead_that_came_from_hubspot_is_written_back_to_its_record() -> None:
    api = await hubspot_after(HubSpot(), message(foreign_id="hubspot:1042"))
    assert list(api.contacts) == ["1042"]


async def test_an_owner_that_the_crm_does_not_know_is_left_alone() -> None:
    api = await hubspot_after(HubSpot(), message(owner_crm_id=None))
    assert "hubspot_owner_id" not in api.contacts["main.4f.1"]


async def test_salesforce_upserts_by_our_id_and_never_lacks_what_it_requires() -> None:
    api = Salesforce()
    async with serving(api) as server:
        settings = ChannelSettings.model_validate({"crm": {"salesforce": {"token": "t", "instance_url": server.url}}})
        async with outside(settings) as way_out:
            await crm.send(message(company=None), "k", way_out, 60)
            await crm.send(message(), "k", way_out, 60)
        assert server.accepted[0].path == "/services/data/v62.0/sobjects/Lead/Leadstream_Id__c/main.4f.1"
        assert server.accepted[0].method == "PATCH"
    assert list(api.leads) == ["main.4f.1"]
    assert api.leads["main.4f.1"]["OwnerId"] == "7001"
