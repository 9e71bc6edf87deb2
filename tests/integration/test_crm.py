"""`leadstream crm` on a real broker, its official client against a local account with HubSpot's limits."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.rep import Rep
from schemas.wire import encode
from streams.cli.entries import read_entries
from streams.kafka.config import ClusterSettings
from tests.chaos.crm.outage import OWNERS, command, decided, meddled, written
from tests.lab.decisions import NOW
from tests.lab.http_server import serving
from tests.lab.hubspot_org import APP_ID, HubSpotOrg
from tests.records import Outgoing, Records

LEADS = 120


@dataclass
class Side:
    org: HubSpotOrg
    channels: dict[str, Any]
    cluster: ClusterSettings
    records: Records

    def contacts(self) -> dict[str, str]:
        """Lead id -> contact id."""
        return {c.properties["leadstream_id"]: c.id for c in self.org.things["contacts"].values()}


@pytest.fixture
async def side(topics: ClusterSettings) -> AsyncIterator[Side]:
    org = HubSpotOrg()
    async with serving(org) as server:
        channels = {"crm": {"hubspot": {"token": "t", "base_url": server.url, "app_id": APP_ID}}}
        yield Side(org, channels, topics, written(topics, LEADS))


async def test_reconcile_leaves_no_difference_and_lets_a_persons_choice_stand(side: Side) -> None:
    shown = await command(side.cluster, side.channels, "reconcile", "--dry-run")
    assert (shown.code, shown.said.get("differences")) == (1, LEADS), shown.error
    assert side.contacts() == {}

    first = await command(side.cluster, side.channels, "reconcile")
    assert (first.code, first.said["written"], first.said["left"]) == (0, LEADS, []), first
    assert len(side.contacts()) == len(side.org.things["contacts"]) == LEADS
    assert {row.key: row.json["lead_id"] for row in side.records.read_all("xref")} == {
        f"hubspot:{contact}": lead for lead, contact in side.contacts().items()
    }

    moved = meddled(side.org, side.contacts(), seed=1)
    spoiled = next(lead for lead in side.contacts() if lead not in moved)
    side.org.put("contacts", {"leadstream_tier": "T9"}, side.contacts()[spoiled], by="INTEGRATION")
    second = await command(side.cluster, side.channels, "reconcile")
    assert (second.code, second.said["differences"], second.said["written"]) == (0, len(moved) + 1, 1), second
    told = [row.json for row in side.records.read_all("leads.activity")]
    assert {row["lead_id"]: (row["kind"], row["to"]) for row in told} == {
        lead: ("reassigned", rep) for lead, rep in moved.items()
    }
    assert side.org.things["contacts"][side.contacts()[spoiled]].properties["leadstream_tier"] == "T1"
    assert (side.org.throttled, side.org.refused) == (0, [])


async def test_sync_reads_each_change_back_once_and_goes_on_at_its_bookmark(side: Side) -> None:
    await command(side.cluster, side.channels, "reconcile")
    lead = decided(1, NOW).lead_id
    contact = side.contacts()[lead]
    at = "2026-03-01T00:00:00Z"
    gone = {"id": OWNERS[2], "email": "", "firstName": "G", "lastName": "one", "archived": True, "updatedAt": at}
    side.org.owners = [gone, {**gone, "id": "9", "archived": False}]
    company = side.org.put("companies", {"domain": "acme.example", "hubspot_owner_id": OWNERS[0], "name": "Acme"})
    side.org.put(
        "deals",
        {
            "hubspot_owner_id": OWNERS[1],
            "dealstage": "x",
            "hs_is_closed": "false",
            "hs_deal_stage_probability": "0.9",
            "hs_primary_associated_company": company.id,
        },
    )
    side.org.put("contacts", {"hubspot_owner_id": OWNERS[0], "hs_lead_status": "UNQUALIFIED"}, contact)
    side.org.put("contacts", {"notes_last_contacted": "2026-03-10T14:16:00Z"}, contact)

    first = await command(side.cluster, side.channels, "sync")
    assert first.code == 0, first.error
    assert {name: first.said[name] for name in ("reps", "activity", "deals", "accounts")} == {
        "reps": 1,
        "activity": 3,
        "deals": 1,
        "accounts": 1,
    }
    assert first.said["users_not_on_the_roster"] == [{"id": "9", "name": "G one"}]
    told = [row.json for row in side.records.read_all("leads.activity")]
    assert {(row["kind"], row.get("to"), row.get("rep"), row.get("stage")) for row in told} == {
        ("reassigned", "R0", None, None),
        ("disqualified", None, None, None),
        ("called", None, "R0", None),
        ("opportunity_changed", None, "R1", "late"),
    }
    (account,) = side.records.read_all("accounts")
    assert (account.key, account.json["owner"], account.json["opportunity_owner"]) == ("acme.example", "R0", "R1")
    assert {row.key: row.json["active"] for row in side.records.read_all("reps")} == {
        "R0": True,
        "R1": True,
        "R2": False,
    }
    assert {row.key for row in side.records.read_all("bookmarks")} == {
        f"crm/hubspot/{what}" for what in ("leads", "deals", "accounts")
    }

    again = await command(side.cluster, side.channels, "sync")
    assert (again.said["reps"], again.said["accounts"]) == (0, 0)
    ids = [row.json["id"] for row in side.records.read_all("leads.activity")]
    assert len(set(ids)) == len(told)  # read again for safety, under the same ids: SCORE knows them


async def test_a_crm_that_is_away_is_told_and_moves_no_bookmark(side: Side) -> None:
    side.channels["crm"]["hubspot"]["token"] = "t"
    side.org.is_down = True
    ran = await command(side.cluster, side.channels, "sync", "--patience", "1")
    assert ran.code == 1
    assert "HubSpot answered 503" in ran.error
    assert side.records.read_all("bookmarks") == []


async def test_without_a_crm_it_says_what_to_set(topics: ClusterSettings) -> None:
    ran = await command(topics, {}, "reconcile")
    assert ran.code == 5
    assert "crm.hubspot" in ran.error


async def test_users_who_are_not_on_the_roster_become_a_file_that_can_be_imported(side: Side, tmp_path: Path) -> None:
    at = "2026-03-01T00:00:00Z"
    row = {"firstName": "Ñora", "lastName": "New", "updatedAt": at}
    side.org.owners = [
        {"id": OWNERS[0], "email": "", **row, "archived": False},
        {"id": "9", "email": "new@sales.example", **row, "archived": False},
        {"id": "10", "email": "gone@sales.example", **row, "archived": True},
    ]
    found = await command(side.cluster, side.channels, "users")
    (rep,) = found.said["reps"]
    assert rep == {
        "id": "crm-9", "name": "Ñora New", "email": "new@sales.example", "crm_id": "9", "active": False,
    }  # fmt: skip
    file = tmp_path / "newcomers.yaml"
    file.write_bytes(orjson.dumps(found.said))
    assert [one.crm_id for one in read_entries(file, Rep, "reps")] == ["9"]
    side.records.write("reps", [Outgoing("crm-9", encode(Rep.model_validate(rep)), {"ce_type": "rep.put"})])
    assert (await command(side.cluster, side.channels, "users")).said == {"reps": []}
