"""HubSpot's contacts, companies, deals and owners in our words, and leads written to it in bulk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from notifiers.crm.change import ChangeKind, CrmChange
from notifiers.crm.hubspot import properties_of
from notifiers.crm.hubspot_client import BATCH, BATCH_WITH_HISTORY, Conflict, HubSpotClient, at_of
from notifiers.crm.mirror import HeldAccount, HeldDeal, HeldLead, HeldUser, Upserted
from notifiers.crm.paced import GIVE_UP_SECONDS
from notifiers.crm.record import CrmRecord
from notifiers.settings import HubSpotSettings

_OWNER = "hubspot_owner_id"
_STAGES = ("hs_lead_status", "lifecyclestage")
_COMPANY_OF_DEAL = "hs_primary_associated_company"
_COMPANY = (
    "domain",
    "name",
    _OWNER,
    "lifecyclestage",
    "hs_is_target_account",
    "numberofemployees",
    "industry",
    "country",
    "state",
    "notes_last_updated",
)
_DEAL = (
    "dealstage",
    _OWNER,
    "amount",
    "hs_is_closed",
    "hs_is_closed_won",
    "hs_deal_stage_probability",
    _COMPANY_OF_DEAL,
)
_HELD = (_OWNER, "leadstream_tier", "leadstream_rule", "leadstream_score", "leadstream_due")


class HubSpotRemote:
    """As `mirror.RemoteCrm`. Contacts are ours by the property `external_id`.

    Deleted contacts are not found by a search: they come by webhook, or are found by `leads`.
    """

    system = "hubspot"

    def __init__(self, settings: HubSpotSettings, patience_seconds: float = GIVE_UP_SECONDS) -> None:
        self._settings = settings
        self._client = HubSpotClient(settings, patience_seconds)

    def users(self) -> Iterator[HeldUser]:
        for row in self._client.owners():
            name = f"{row.get('firstName') or ''} {row.get('lastName') or ''}".strip()
            is_active = not row.get("archived")
            yield HeldUser(str(row["id"]), name, row.get("email") or "", is_active, at_of(row["updatedAt"]))

    def changes(self, since: datetime) -> Iterator[CrmChange]:
        ours = self._settings.external_id
        is_ours = {"propertyName": ours, "operator": "HAS_PROPERTY"}
        found = [row["id"] for row in self._client.modified("contacts", "lastmodifieddate", since, (ours,), is_ours)]
        watched = (_OWNER, *_STAGES, self._settings.contacted)
        for some in _parts(found, BATCH_WITH_HISTORY):
            rows = self._client.read("contacts", some, (ours, _OWNER), watched)
            changes = [change for row in rows for change in self._changes_of(row, since)]
            yield from sorted(changes, key=lambda change: change.at)

    def deals(self, since: datetime) -> Iterator[HeldDeal]:
        for row in self._client.modified("deals", "hs_lastmodifieddate", since, _DEAL):
            yield _deal(row)

    def accounts(self, since: datetime, also: Iterable[str]) -> Iterator[HeldAccount]:
        found = self._client.modified("companies", "hs_lastmodifieddate", since, _COMPANY)
        companies = {row["id"]: row["properties"] for row in found}
        for some in _parts(sorted({*also} - {*companies}), BATCH):
            companies |= {row["id"]: row["properties"] for row in self._client.read("companies", some, _COMPANY)}
        owners = self._owners_of_open_deals(sorted(companies))
        for company, said in companies.items():
            yield _account(company, said, owners.get(company))

    def leads(self, lead_ids: Sequence[str]) -> Iterator[HeldLead]:
        ours = self._settings.external_id
        for some in _parts(lead_ids, BATCH_WITH_HISTORY):
            rows = self._client.read("contacts", some, (ours, *_HELD), (_OWNER,), ours)
            held = [self._lead(row) for row in rows]
            yield from held
            missing = sorted({*some} - {one.lead_id for one in held})
            for row in self._client.read_deleted("contacts", missing, ours) if missing else ():
                yield HeldLead(row["properties"][ours], f"hubspot:{row['id']}", is_deleted=True)

    def upsert(self, records: Sequence[CrmRecord]) -> Iterator[Upserted]:
        for some in _parts([record for record in records if record.foreign_id is not None], BATCH):
            yield from self._updated([(record, record.foreign_id or "") for record in some])
        for some in _parts([record for record in records if record.foreign_id is None], BATCH):
            yield from self._upserted(some)

    def _upserted(self, records: Sequence[CrmRecord]) -> Iterator[Upserted]:
        name = self._settings.external_id
        inputs = [
            {"id": r.lead_id, "idProperty": name, "properties": properties_of(r, self._settings)} for r in records
        ]
        try:
            rows = self._client.upsert("contacts", inputs)
        except Conflict as conflict:
            # One address is another contact's, and HubSpot takes none of the batch: halve until it stands alone.
            if len(records) > 1:
                yield from self._upserted(records[: len(records) // 2])
                yield from self._upserted(records[len(records) // 2 :])
            elif conflict.existing is not None:
                yield from self._updated([(records[0], conflict.existing)])
            else:
                yield Upserted(records[0].lead_id, None, conflict.reason)
            return
        yield from _outcomes(records, {row["properties"].get(name): row["id"] for row in rows})

    def _updated(self, rows: Sequence[tuple[CrmRecord, str]]) -> Iterator[Upserted]:
        inputs = [{"id": contact, "properties": properties_of(record, self._settings)} for record, contact in rows]
        taken = {row["id"] for row in self._client.update("contacts", inputs)}
        yield from _outcomes(
            [record for record, _ in rows], {record.lead_id: contact for record, contact in rows if contact in taken}
        )

    def _owners_of_open_deals(self, companies: Sequence[str]) -> dict[str, str]:
        """Return company -> owner of its open deal, of several the one that changed last."""
        owners: dict[str, str] = {}
        for some in _parts(companies, BATCH):
            filters: list[Mapping[str, Any]] = [
                {"propertyName": _COMPANY_OF_DEAL, "operator": "IN", "values": list(some)},
                {"propertyName": "hs_is_closed", "operator": "EQ", "value": "false"},
            ]
            for row in self._client.found("deals", filters, "hs_lastmodifieddate", (_OWNER, _COMPANY_OF_DEAL)):
                owners[row["properties"][_COMPANY_OF_DEAL]] = row["properties"].get(_OWNER) or ""
        return owners

    def _changes_of(self, row: Mapping[str, Any], since: datetime) -> Iterator[CrmChange]:
        kinds = {_OWNER: ChangeKind.OWNER, self._settings.contacted: ChangeKind.CONTACTED}
        for name, versions in (row.get("propertiesWithHistory") or {}).items():
            kind = kinds.get(name, ChangeKind.STAGE)
            is_contact = kind is ChangeKind.CONTACTED
            for version in versions:
                at, value = at_of(version["timestamp"]), version.get("value") or ""
                if at < since or not value or self._is_ours(version):
                    continue
                yield CrmChange(
                    id=f"hubspot/{row['id']}/{name}/{int(at.timestamp() * 1_000)}",
                    kind=kind,
                    at=at_of(value) if is_contact else at,
                    value="called" if is_contact else value,
                    lead_id=row["properties"].get(self._settings.external_id),
                    foreign_id=f"hubspot:{row['id']}",
                    by=f"hubspot/{version.get('sourceType') or 'crm'}",
                    user=row["properties"].get(_OWNER) or "" if is_contact else "",
                )

    def _is_ours(self, version: Mapping[str, Any]) -> bool:
        if version.get("sourceType") != "INTEGRATION":
            return False
        return self._settings.app_id is None or str(version.get("sourceId")) == self._settings.app_id

    def _lead(self, row: Mapping[str, Any]) -> HeldLead:
        said = row["properties"]
        versions = (row.get("propertiesWithHistory") or {}).get(_OWNER) or ()
        latest = max(versions, key=lambda version: at_of(version["timestamp"]), default=None)
        score = _number(said.get("leadstream_score"))
        return HeldLead(
            lead_id=said.get(self._settings.external_id) or "",
            foreign_id=f"hubspot:{row['id']}",
            owner=said.get(_OWNER) or None,
            tier=said.get("leadstream_tier") or None,
            rule=said.get("leadstream_rule") or None,
            score=None if score is None else int(score),
            due=at_of(said["leadstream_due"]) if said.get("leadstream_due") else None,
            owner_at=at_of(latest["timestamp"]) if latest else None,
            owner_by_us=self._is_ours(latest) if latest else None,
        )


def _account(company: str, said: Mapping[str, Any], deal_owner: str | None) -> HeldAccount:
    return HeldAccount(
        id=company,
        site=said.get("domain") or "",
        name=said.get("name") or "",
        owner=said.get(_OWNER) or "",
        deal_owner=deal_owner or "",
        has_open_deal=deal_owner is not None,
        is_customer=said.get("lifecyclestage") == "customer",
        is_named=said.get("hs_is_target_account") == "true",
        employees=said.get("numberofemployees") or "",
        industry=said.get("industry") or "",
        country=said.get("country") or "",
        state=said.get("state") or "",
        active_at=at_of(said["notes_last_updated"]) if said.get("notes_last_updated") else None,
    )


def _deal(row: Mapping[str, Any]) -> HeldDeal:
    said = row["properties"]
    return HeldDeal(
        id=f"hubspot:{row['id']}",
        owner=said.get(_OWNER) or "",
        stage=said.get("dealstage") or "",
        at=at_of(said["hs_lastmodifieddate"]),
        is_closed=said.get("hs_is_closed") == "true",
        probability=_number(said.get("hs_deal_stage_probability")),
        amount=_number(said.get("amount")),
        account=said.get(_COMPANY_OF_DEAL) or "",
    )


def _outcomes(records: Iterable[CrmRecord], contacts: Mapping[str, str]) -> Iterator[Upserted]:
    for record in records:
        contact = contacts.get(record.lead_id)
        if contact is None:
            yield Upserted(record.lead_id, None, "HubSpot refused the contact")
        else:
            yield Upserted(record.lead_id, f"hubspot:{contact}")


def _number(said: str | None) -> float | None:
    try:
        return float(said) if said else None
    except ValueError:
        return None


def _parts(ids: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
