"""HubSpot's webhooks: signed batches of property changes on contacts."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from notifiers.crm.change import ChangeKind, ChangeRefused, CrmChange

OLDEST = timedelta(minutes=5)
_STAGES = frozenset({"lifecyclestage", "hs_lead_status"})
_GONE = {"deletion": ChangeKind.DELETED, "privacyDeletion": ChangeKind.ERASED}


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    eventId: str  # noqa: N815 (HubSpot's names)
    objectId: str  # noqa: N815
    occurredAt: int = Field(ge=0, lt=10**14)  # noqa: N815 (milliseconds)
    subscriptionType: str = ""  # noqa: N815
    propertyName: str = ""  # noqa: N815
    propertyValue: str | None = None  # noqa: N815
    changeSource: str = ""  # noqa: N815
    sourceId: str | None = None  # noqa: N815
    appId: str | None = None  # noqa: N815


_EVENTS = TypeAdapter(tuple[_Event, ...])


def is_signed(body: bytes, headers: Mapping[str, str], url: str, secret: str, now: datetime) -> bool:
    """Tell whether HubSpot signed this POST (signature v3) in the last five minutes. url: as HubSpot called it."""
    at = headers.get("x-hubspot-request-timestamp", "")
    if not at.isascii() or not at.isdigit() or len(at) > 14:
        return False
    if abs(now - datetime.fromtimestamp(int(at) / 1_000, UTC)) > OLDEST:
        return False
    digest = hmac.new(secret.encode(), b"POST" + url.encode() + body + at.encode(), hashlib.sha256).digest()
    given = headers.get("x-hubspot-signature-v3", "").encode()
    return hmac.compare_digest(base64.b64encode(digest), given)


def changes_of(body: bytes) -> tuple[CrmChange, ...]:
    """Return what changed on contacts, in the order of the batch. Raises ChangeRefused.

    What leadstream wrote itself comes back too: changes by the app that the webhook belongs to are left out.
    """
    try:
        events = _EVENTS.validate_json(body)
    except ValidationError as error:
        raise ChangeRefused("the body is no batch of HubSpot events") from error
    return tuple(found for event in events if (found := _change(event)) is not None)


def _change(event: _Event) -> CrmChange | None:
    what, _, how = event.subscriptionType.partition(".")
    if what != "contact" or (event.sourceId is not None and event.sourceId == event.appId):
        return None
    if how in _GONE:
        kind = _GONE[how]
    elif how == "propertyChange" and event.propertyName == "hubspot_owner_id":
        kind = ChangeKind.OWNER
    elif how == "propertyChange" and event.propertyName in _STAGES:
        kind = ChangeKind.STAGE
    else:
        return None
    return CrmChange(
        id=_id(event),
        kind=kind,
        at=datetime.fromtimestamp(event.occurredAt / 1_000, UTC),
        value=event.propertyValue or "",
        foreign_id=f"hubspot:{event.objectId}",
        by=f"hubspot/{event.changeSource}" if event.changeSource else "hubspot",
    )


def _id(event: _Event) -> str:
    """Return the change's own id: the same when HubSpot sends the event again, and when the change is read back."""
    if event.propertyName:
        return f"hubspot/{event.objectId}/{event.propertyName}/{event.occurredAt}"
    return f"hubspot/{event.eventId}/{event.objectId}/"
