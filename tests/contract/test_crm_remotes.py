"""One suite over the CRMs that are read back: the official client against a local account with documented limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from notifiers.crm.change import ChangeKind
from notifiers.crm.mirror import RemoteCrm
from notifiers.crm.record import CrmRecord
from notifiers.outcome import Refused, Retryable
from notifiers.settings import HubSpotSettings, SalesforceSettings
from tests.lab.http_server import Server, serving
from tests.lab.hubspot_org import APP_ID, HubSpotOrg
from tests.lab.salesforce_org import INTEGRATION_USER, SalesforceOrg

T = TypeVar("T")
PATIENCE_SECONDS = 60.0  # with a CRM that refuses for a while
IMPATIENT_SECONDS = 1.0  # with one that never answers
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Account:
    """A CRM with two users, "1" active and "2" gone, in its own ids."""

    remote: RemoteCrm
    org: Any
    server: Server
    users: tuple[str, str]
    owner: str
    stage: str
    lead: Callable[[str], Any]
    change: Callable[[str, dict[str, str]], None]
    delete: Callable[[str], None]
    company: Callable[..., str]
    deal: Callable[..., None]
    held: Callable[[str], dict[str, Any]]


@pytest.fixture(params=["hubspot", "salesforce"])
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    made = {"hubspot": hubspot, "salesforce": salesforce}[request.param]
    async with made() as one:
        yield one


@asynccontextmanager
async def hubspot(patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Account]:
    org = HubSpotOrg()
    at = "2026-03-01T00:00:00Z"
    org.owners = [
        {"id": "71", "email": "a@x.example", "firstName": "Ada", "lastName": "A", "archived": False, "updatedAt": at},
        {"id": "72", "email": "b@x.example", "firstName": "Ben", "lastName": "B", "archived": True, "updatedAt": at},
    ]

    def contact(lead_id: str) -> Any:
        found = org.contact(lead_id)
        assert found is not None
        return found

    def deal(company: str, owner: str, stage: str, *, is_closed: bool = False) -> None:
        values = {"hubspot_owner_id": owner, "dealstage": stage, "hs_is_closed": str(is_closed).lower()}
        org.put("deals", {**values, "hs_primary_associated_company": company, "amount": "900"})

    async with serving(org) as server:
        settings = HubSpotSettings(token="pat", base_url=server.url, app_id=APP_ID)  # type: ignore[arg-type]
        from notifiers.crm.hubspot_remote import HubSpotRemote

        yield Account(
            HubSpotRemote(settings, patience_seconds),
            org,
            server,
            ("71", "72"),
            "hubspot_owner_id",
            "hs_lead_status",
            contact,
            lambda lead_id, values: _nothing(org.put("contacts", values, contact(lead_id).id)),
            lambda lead_id: setattr(contact(lead_id), "is_archived", True),
            lambda site, owner: org.put("companies", {"domain": site, "hubspot_owner_id": owner, "name": "Acme"}).id,
            deal,
            lambda lead_id: contact(lead_id).properties,
        )


@asynccontextmanager
async def salesforce(patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Account]:
    org = SalesforceOrg()
    one, two = (f"00500000000000{number}" for number in (1, 2))
    org.put("User", {"Name": "Ada A", "Email": "a@x.example", "IsActive": True}, one)
    org.put("User", {"Name": "Ben B", "Email": "b@x.example", "IsActive": False}, two)

    def lead(lead_id: str) -> Any:
        found = org.lead(lead_id)
        assert found is not None
        return found

    def company(site: str, owner: str) -> str:
        values = dict.fromkeys(("Type", "NumberOfEmployees", "Industry", "BillingCountry", "BillingState"))
        row = {**values, "Name": "Acme", "Website": f"https://www.{site}/", "OwnerId": owner, "LastActivityDate": None}
        return str(org.put("Account", row)["Id"])

    def deal(company: str, owner: str, stage: str, *, is_closed: bool = False) -> None:
        row = {"OwnerId": owner, "StageName": stage, "IsClosed": is_closed, "Probability": 20, "Amount": 900}
        org.put("Opportunity", {**row, "AccountId": company})

    async with serving(org) as server:
        settings = SalesforceSettings(token="00D", instance_url=server.url, user_id=INTEGRATION_USER)  # type: ignore[arg-type]
        settings = settings.model_copy(update={"calls_per_second": 100})
        from notifiers.crm.salesforce_remote import SalesforceRemote

        yield Account(
            SalesforceRemote(settings, patience_seconds),
            org,
            server,
            (one, two),
            "OwnerId",
            "Status",
            lead,
            lambda lead_id, values: _nothing(org.put("Lead", values, lead(lead_id)["Id"])),
            lambda lead_id: _nothing(org.put("Lead", {"IsDeleted": True}, lead(lead_id)["Id"])),
            company,
            deal,
            lead,
        )


def _nothing(_: Any) -> None:
    return None


def record(lead_id: str, owner: str | None, **changes: Any) -> CrmRecord:
    values: dict[str, Any] = {
        "foreign_id": None,
        "email": f"{lead_id.split('.')[1]}@lone.example",
        "phone": None,
        "first_name": "Cora",
        "last_name": "Lone",
        "company": "Lone Inc",
        "tier": "T1",
        "rule": "mid-market",
        "score": 82,
        "due": "2026-03-10T14:19:00+00:00",
    }
    return CrmRecord(lead_id=lead_id, owner=owner, **{**values, **changes})


async def asked(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)


def lead_id(number: int) -> str:
    return f"main.{number:032x}.1"


async def test_what_is_written_is_held(account: Account) -> None:
    records = [record(lead_id(n), account.users[0]) for n in range(3)]
    written = await asked(lambda: list(account.remote.upsert(records)))
    assert [(row.lead_id, row.problem) for row in written] == [(lead_id(n), "") for n in range(3)]
    held = await asked(lambda: list(account.remote.leads([lead_id(n) for n in range(4)])))
    assert {one.lead_id for one in held} == {lead_id(n) for n in range(3)}
    one = held[0]
    assert (one.owner, one.tier, one.rule, one.score) == (account.users[0], "T1", "mid-market", 82)
    assert one.due == datetime(2026, 3, 10, 14, 19, tzinfo=UTC)
    assert {row.foreign_id for row in written} == {one.foreign_id for one in held}


async def test_what_is_written_twice_is_there_once(account: Account) -> None:
    for tier in ("T2", "T1"):
        await asked(lambda tier=tier: list(account.remote.upsert([record(lead_id(1), account.users[0], tier=tier)])))  # type: ignore[misc]
    held = await asked(lambda: list(account.remote.leads([lead_id(1)])))
    assert [one.tier for one in held] == ["T1"]


async def test_a_record_with_the_crms_own_id_is_updated_there(account: Account) -> None:
    first = await asked(lambda: list(account.remote.upsert([record(lead_id(1), account.users[0])])))
    own = (first[0].foreign_id or "").split(":")[1]
    again = await asked(lambda: list(account.remote.upsert([record(lead_id(1), account.users[0], foreign_id=own)])))
    assert again == first


async def test_a_thousand_are_written_and_read_within_the_limits(account: Account) -> None:
    ids = [lead_id(n) for n in range(1_000)]
    records = [record(one, account.users[0]) for one in ids]
    assert sum(not row.problem for row in await asked(lambda: list(account.remote.upsert(records)))) == 1_000
    assert len(await asked(lambda: list(account.remote.leads(ids)))) == 1_000
    assert getattr(account.org, "throttled", 0) == 0
    assert account.org.refused == []


async def test_a_change_by_a_person_is_read_back_and_ours_is_not(account: Account) -> None:
    await asked(lambda: list(account.remote.upsert([record(lead_id(1), account.users[0])])))
    before = datetime.now(UTC) - timedelta(seconds=5)
    account.change(lead_id(1), {account.owner: account.users[1]})
    account.change(lead_id(1), {account.stage: "UNQUALIFIED"})
    changes = await asked(lambda: list(account.remote.changes(before)))
    assert {(c.kind, c.value, c.lead_id) for c in changes} >= {
        (ChangeKind.OWNER, account.users[1], lead_id(1)),
        (ChangeKind.STAGE, "UNQUALIFIED", lead_id(1)),
    }
    assert account.users[0] not in {c.value for c in changes}
    assert len({c.id for c in changes}) == len(changes)
    again = await asked(lambda: list(account.remote.changes(before)))
    assert [c.id for c in again] == [c.id for c in changes]


async def test_who_set_the_owner_last_is_known(account: Account) -> None:
    await asked(lambda: list(account.remote.upsert([record(lead_id(n), account.users[0]) for n in (1, 2)])))
    account.change(lead_id(1), {account.owner: account.users[1]})
    held = {one.lead_id: one for one in await asked(lambda: list(account.remote.leads([lead_id(1), lead_id(2)])))}
    assert held[lead_id(1)].owner_by_us is False
    assert held[lead_id(2)].owner_by_us is not False


async def test_a_deleted_lead_is_held_as_deleted(account: Account) -> None:
    await asked(lambda: list(account.remote.upsert([record(lead_id(1), account.users[0])])))
    account.delete(lead_id(1))
    held = await asked(lambda: list(account.remote.leads([lead_id(1)])))
    assert [one.is_deleted for one in held] == [True]


async def test_users_come_with_those_who_left(account: Account) -> None:
    users = await asked(lambda: list(account.remote.users()))
    assert {(user.id, user.email, user.is_active) for user in users} == {
        (account.users[0], "a@x.example", True),
        (account.users[1], "b@x.example", False),
    }


async def test_accounts_come_with_the_owner_of_their_open_deal(account: Account) -> None:
    company = account.company("acme.example", account.users[0])
    quiet = account.company("quiet.example", account.users[0])
    account.deal(company, account.users[1], "won long ago", is_closed=True)
    account.deal(company, account.users[1], "negotiation")
    deals = await asked(lambda: list(account.remote.deals(LONG_AGO)))
    assert sorted((deal.stage, deal.is_closed, deal.account) for deal in deals) == [
        ("negotiation", False, company),
        ("won long ago", True, company),
    ]
    found = {one.id: one for one in await asked(lambda: list(account.remote.accounts(LONG_AGO, ())))}
    assert (found[company].owner, found[company].deal_owner, found[company].has_open_deal) == (*account.users, True)
    assert not found[quiet].has_open_deal
    asked_for = await asked(lambda: list(account.remote.accounts(datetime.now(UTC) + timedelta(days=1), [company])))
    assert [one.id for one in asked_for] == [company]


async def test_a_crm_that_fails_for_a_while_is_asked_again(account: Account) -> None:
    account.server.mood.script = [503, 500, ("later", 0.05)]
    users = await asked(lambda: list(account.remote.users()))
    assert len(users) == 2


async def test_a_refusal_is_final_and_quotes_nothing(account: Account) -> None:
    account.server.mood.script = [404]
    with pytest.raises(Refused, match=r"answered 404$"):
        await asked(lambda: list(account.remote.users()))


@pytest.mark.parametrize("made", [hubspot, salesforce], ids=["hubspot", "salesforce"])
async def test_a_crm_that_nobody_answers_for_is_told_as_such(
    made: Callable[[float], AbstractAsyncContextManager[Account]],
) -> None:
    async with made(IMPATIENT_SECONDS) as account:
        account.org.is_down = True
        with pytest.raises(Retryable, match="503"):
            await asked(lambda: list(account.remote.users()))


async def test_hubspots_pace_is_lowered_by_what_it_refuses() -> None:
    """A hundred calls are used up by somebody else: ours are refused, and go on when the window has moved."""
    async with hubspot() as account:
        account.org.owners = []
        over = [429] * 3
        account.server.mood.script = list(over)
        assert await asked(lambda: list(account.remote.users())) == []
        assert account.server.calls == len(over) + 2


async def test_an_address_that_another_contact_has_is_taken_over_in_hubspot() -> None:
    async with hubspot() as account:
        other = account.org.put("contacts", {"email": "5@lone.example"})
        records = [replace(record(lead_id(n), "71"), email=f"{n}@lone.example") for n in range(8)]
        written = await asked(lambda: list(account.remote.upsert(records)))
        assert sorted(row.lead_id for row in written if not row.problem) == [lead_id(n) for n in range(8)]
        assert next(row.foreign_id for row in written if row.lead_id == lead_id(5)) == f"hubspot:{other.id}"
        assert other.properties["leadstream_id"] == lead_id(5)
