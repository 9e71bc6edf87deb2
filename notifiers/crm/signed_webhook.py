"""Changes from any CRM that can sign a webhook (Standard Webhooks): Salesforce, Dynamics 365, Zoho, Pipedrive."""

from collections.abc import Mapping

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from notifiers.crm.change import ChangeKind, ChangeRefused, CrmChange, NotSigned


class _Change(BaseModel):
    """One change as the CRM sends it. owner, user: ids there, as in `rep.crm_id`. foreign_id: "salesforce:00Q…".

    how: a contact's kind of activity: called, messaged, chat_replied, meeting_held, meeting_set.
    """

    model_config = ConfigDict(extra="ignore")

    type: ChangeKind
    at: AwareDatetime
    id: str | None = Field(default=None, max_length=200)
    lead_id: str | None = None
    foreign_id: str | None = None
    owner: str = ""
    stage: str = ""
    user: str = ""
    how: str = ""
    reason: str | None = None
    by: str | None = None


_CHANGES = TypeAdapter(tuple[_Change, ...] | _Change)


def changes_of(body: bytes, headers: Mapping[str, str], secret: str) -> tuple[CrmChange, ...]:
    """Return what the CRM says has changed: one object, or an array of them. Raises NotSigned, ChangeRefused.

    headers: lower-case names. The signature is at most five minutes old.
    """
    try:
        Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError) as error:
        raise NotSigned(NotSigned.__doc__) from error
    try:
        said = _CHANGES.validate_json(body)
    except ValidationError as error:
        raise ChangeRefused(_problem(error)) from error
    rows = said if isinstance(said, tuple) else (said,)
    return tuple(_change(row, f"{headers['webhook-id']}/{place}") for place, row in enumerate(rows))


def _change(row: _Change, own_id: str) -> CrmChange:
    if row.type is ChangeKind.USER_DEACTIVATED:
        value = row.user
    else:
        if row.lead_id is None and row.foreign_id is None:
            raise ChangeRefused("a change names its lead: lead_id or foreign_id")
        values = {ChangeKind.OWNER: row.owner, ChangeKind.CONTACTED: row.how}
        value = values.get(row.type, row.stage)
    return CrmChange(
        row.id or own_id,
        row.type,
        row.at,
        value,
        row.lead_id,
        row.foreign_id,
        reason=row.reason,
        by=row.by,
        user=row.user,
    )


def _problem(error: ValidationError) -> str:
    row = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part)[:40] for part in row['loc'])}: {row['msg']}"
