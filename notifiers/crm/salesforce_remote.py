"""Salesforce's leads, accounts, opportunities and users in our words, and leads written to it in bulk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from simple_salesforce.format import format_soql

from notifiers.crm.change import ChangeKind, CrmChange
from notifiers.crm.mirror import HeldAccount, HeldDeal, HeldLead, HeldUser, Upserted
from notifiers.crm.paced import GIVE_UP_SECONDS
from notifiers.crm.record import CrmRecord
from notifiers.crm.salesforce import fields_of
from notifiers.crm.salesforce_client import COLLECTION, IDS_A_QUERY, SalesforceClient, at_of, literal
from notifiers.settings import SalesforceSettings

_ACCOUNT = (
    "Id, Name, Website, OwnerId, Type, NumberOfEmployees, Industry, BillingCountry, BillingState, LastActivityDate, "
    "Parent.Website"
)
_LEAD_PREFIX = "00Q"
_WATCHED = {"Owner": ChangeKind.OWNER, "Status": ChangeKind.STAGE}
_HOW = {"Call": "called", "Email": "messaged", "ListEmail": "messaged", "LinkedIn": "messaged"}


class SalesforceRemote:
    """As `mirror.RemoteCrm`. Leads are ours by the field `external_id`.

    Owner and status of Lead must be tracked by field history, else their changes come by webhook alone.
    """

    system = "salesforce"

    def __init__(self, settings: SalesforceSettings, patience_seconds: float = GIVE_UP_SECONDS) -> None:
        self._settings = settings
        self._client = SalesforceClient(settings, patience_seconds)

    def users(self) -> Iterator[HeldUser]:
        for row in self._client.rows("SELECT Id, Name, Email, IsActive, LastModifiedDate FROM User"):
            at = at_of(row["LastModifiedDate"])
            yield HeldUser(row["Id"], row["Name"] or "", row["Email"] or "", bool(row["IsActive"]), at)

    def changes(self, since: datetime) -> Iterator[CrmChange]:
        found = [*self._history(since), *self._tasks(since), *self._meetings(since), *self._deleted(since)]
        yield from sorted(found, key=lambda change: change.at)

    def deals(self, since: datetime) -> Iterator[HeldDeal]:
        soql = (
            "SELECT Id, OwnerId, StageName, IsClosed, Probability, Amount, AccountId, SystemModstamp FROM Opportunity "
            f"WHERE SystemModstamp >= {literal(since)} ORDER BY SystemModstamp"
        )
        for row in self._client.rows(soql):
            yield HeldDeal(
                id=f"salesforce:{row['Id']}",
                owner=row["OwnerId"] or "",
                stage=row["StageName"] or "",
                at=at_of(row["SystemModstamp"]),
                is_closed=bool(row["IsClosed"]),
                probability=None if row["Probability"] is None else float(row["Probability"]) / 100,
                amount=row["Amount"],
                account=row["AccountId"] or "",
            )

    def accounts(self, since: datetime, also: Iterable[str]) -> Iterator[HeldAccount]:
        changed = self._client.rows(f"SELECT {_ACCOUNT} FROM Account WHERE SystemModstamp >= {literal(since)}")
        rows = {row["Id"]: row for row in changed}
        for some in _parts(sorted({*also} - {*rows}), IDS_A_QUERY):
            asked = format_soql(f"SELECT {_ACCOUNT} FROM Account WHERE Id IN {{}}", list(some))
            rows |= {row["Id"]: row for row in self._client.rows(asked)}
        owners = self._owners_of_open_deals(sorted(rows))
        for account, row in rows.items():
            yield _account(row, owners.get(account))

    def leads(self, lead_ids: Sequence[str]) -> Iterator[HeldLead]:
        ours = self._settings.external_id
        columns = (
            f"SELECT Id, {ours}, OwnerId, IsDeleted, Leadstream_Tier__c, Leadstream_Rule__c, Leadstream_Score__c, "
            f"Leadstream_Due__c FROM Lead WHERE {ours} IN {{}}"
        )
        for some in _parts(lead_ids, IDS_A_QUERY):
            rows = list(self._client.rows_with_deleted(format_soql(columns, list(some))))
            moved = self._moved_by_others([row["Id"] for row in rows])
            # A lead that was deleted and written again is there twice: the living one counts.
            for row in sorted(rows, key=lambda r: not r["IsDeleted"]):
                yield self._lead(row, moved.get(row["Id"]))

    def upsert(self, records: Sequence[CrmRecord]) -> Iterator[Upserted]:
        ours = self._settings.external_id
        for some in _parts([r for r in records if r.foreign_id is None], COLLECTION):
            rows = [{**fields_of(record), ours: record.lead_id} for record in some]
            yield from _outcomes(some, self._client.upsert("Lead", ours, rows))
        for some in _parts([r for r in records if r.foreign_id is not None], COLLECTION):
            rows = [{**fields_of(record), ours: record.lead_id, "id": record.foreign_id} for record in some]
            yield from _outcomes(some, self._client.update("Lead", rows))

    def _history(self, since: datetime) -> Iterator[CrmChange]:
        soql = (
            f"SELECT Id, LeadId, Field, NewValue, CreatedDate, CreatedById, Lead.{self._settings.external_id} "
            f"FROM LeadHistory WHERE CreatedDate >= {literal(since)} AND Field IN ('Owner', 'Status') "
            "ORDER BY CreatedDate"
        )
        for row in self._client.rows(soql):
            is_name = row["Field"] == "Owner" and not _is_user(row["NewValue"])  # an owner comes as name and as id
            if row["CreatedById"] == self._settings.user_id or is_name:
                continue
            yield CrmChange(
                id=f"salesforce/{row['Id']}",
                kind=_WATCHED[row["Field"]],
                at=at_of(row["CreatedDate"]),
                value=str(row["NewValue"] or ""),
                lead_id=(row.get("Lead") or {}).get(self._settings.external_id),
                foreign_id=f"salesforce:{row['LeadId']}",
                by=f"salesforce/{row['CreatedById']}",
            )

    def _tasks(self, since: datetime) -> Iterator[CrmChange]:
        soql = (
            "SELECT Id, WhoId, OwnerId, TaskSubtype, CompletedDateTime FROM Task WHERE IsClosed = true "
            f"AND SystemModstamp >= {literal(since)} AND TaskSubtype IN ('Call', 'Email', 'ListEmail', 'LinkedIn')"
        )
        for row in self._client.rows(soql):
            if row["CompletedDateTime"] and self._is_persons(row):
                yield _contact(row, at_of(row["CompletedDateTime"]), _HOW[row["TaskSubtype"]])

    def _meetings(self, since: datetime) -> Iterator[CrmChange]:
        soql = (
            "SELECT Id, WhoId, OwnerId, EndDateTime FROM Event "
            f"WHERE EndDateTime >= {literal(since)} AND EndDateTime <= {literal(datetime.now(UTC))}"
        )
        for row in self._client.rows(soql):
            if self._is_persons(row):
                yield _contact(row, at_of(row["EndDateTime"]), "meeting_held")

    def _is_persons(self, row: Mapping[str, Any]) -> bool:
        return row["OwnerId"] != self._settings.user_id and str(row["WhoId"] or "").startswith(_LEAD_PREFIX)

    def _deleted(self, since: datetime) -> Iterator[CrmChange]:
        ours = self._settings.external_id
        soql = (
            f"SELECT Id, {ours}, SystemModstamp FROM Lead WHERE IsDeleted = true AND {ours} != null "
            f"AND SystemModstamp >= {literal(since)}"
        )
        for row in self._client.rows_with_deleted(soql):
            yield CrmChange(
                id=f"salesforce/{row['Id']}/deleted",
                kind=ChangeKind.DELETED,
                at=at_of(row["SystemModstamp"]),
                lead_id=row[ours],
                foreign_id=f"salesforce:{row['Id']}",
            )

    def _moved_by_others(self, ids: Sequence[str]) -> dict[str, tuple[datetime, bool]]:
        """Return lead -> when its owner was changed last, and whether by us."""
        if not ids:
            return {}
        soql = format_soql(
            "SELECT LeadId, CreatedDate, CreatedById FROM LeadHistory WHERE Field = 'Owner' AND LeadId IN {} "
            "ORDER BY CreatedDate",
            list(ids),
        )
        rows = self._client.rows(soql)
        return {r["LeadId"]: (at_of(r["CreatedDate"]), r["CreatedById"] == self._settings.user_id) for r in rows}

    def _owners_of_open_deals(self, accounts: Sequence[str]) -> dict[str, str]:
        owners: dict[str, str] = {}
        for some in _parts(accounts, IDS_A_QUERY):
            soql = format_soql(
                "SELECT AccountId, OwnerId FROM Opportunity WHERE IsClosed = false AND AccountId IN {} "
                "ORDER BY SystemModstamp",
                list(some),
            )
            owners |= {row["AccountId"]: row["OwnerId"] for row in self._client.rows(soql)}
        return owners

    def _lead(self, row: Mapping[str, Any], moved: tuple[datetime, bool] | None) -> HeldLead:
        return HeldLead(
            lead_id=row[self._settings.external_id],
            foreign_id=f"salesforce:{row['Id']}",
            owner=row["OwnerId"],
            tier=row["Leadstream_Tier__c"],
            rule=row["Leadstream_Rule__c"],
            score=None if row["Leadstream_Score__c"] is None else int(row["Leadstream_Score__c"]),
            due=at_of(row["Leadstream_Due__c"]) if row["Leadstream_Due__c"] else None,
            owner_at=moved[0] if moved else None,
            owner_by_us=moved[1] if moved else None,
            is_deleted=bool(row["IsDeleted"]),
        )


def _contact(row: Mapping[str, Any], at: datetime, how: str) -> CrmChange:
    return CrmChange(
        id=f"salesforce/{row['Id']}",
        kind=ChangeKind.CONTACTED,
        at=at,
        value=how,
        foreign_id=f"salesforce:{row['WhoId']}",
        by=f"salesforce/{row['OwnerId']}",
        user=row["OwnerId"],
    )


def _is_user(value: Any) -> bool:
    return isinstance(value, str) and len(value) in (15, 18) and value.startswith("005")


def _account(row: Mapping[str, Any], deal_owner: str | None) -> HeldAccount:
    return HeldAccount(
        id=row["Id"],
        site=row["Website"] or "",
        name=row["Name"] or "",
        parent_site=(row.get("Parent") or {}).get("Website") or "",
        owner=row["OwnerId"] or "",
        deal_owner=deal_owner or "",
        has_open_deal=deal_owner is not None,
        is_customer="customer" in (row["Type"] or "").lower(),
        employees=str(row["NumberOfEmployees"] or ""),
        industry=row["Industry"] or "",
        country=row["BillingCountry"] or "",
        state=row["BillingState"] or "",
        active_at=at_of(row["LastActivityDate"]) if row["LastActivityDate"] else None,
    )


def _outcomes(records: Sequence[CrmRecord], results: Sequence[Mapping[str, Any]]) -> Iterator[Upserted]:
    for record, result in zip(records, results, strict=True):
        if result.get("success"):
            yield Upserted(record.lead_id, f"salesforce:{result['id']}")
        else:
            codes = ", ".join(sorted({str(error.get("statusCode", "?")) for error in result.get("errors", ())}))
            yield Upserted(record.lead_id, None, f"Salesforce refused the lead: {codes}")


def _parts(ids: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
