"""The CRM as a channel: one record a lead, found again by our id, with owner, tier, rule and due."""

from dataclasses import replace

from notifiers.channels import webhook
from notifiers.crm import hubspot, salesforce
from notifiers.message import Message
from notifiers.outcome import UNCONFIGURED, Sent, Suppressed
from notifiers.outside import Outside


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """Write the lead to the CRM that is set. A repeat writes the same values to the same record.

    Raises Retryable, Refused or Suppressed.
    """
    crm = outside.settings.crm
    if crm.hubspot is not None:
        return await hubspot.write(message, crm.hubspot, outside, timeout_seconds)
    if crm.salesforce is not None:
        return await salesforce.write(message, crm.salesforce, outside, timeout_seconds)
    if crm.webhook is not None:
        return await webhook.send(replace(message, to=crm.webhook), key, outside, timeout_seconds)
    raise Suppressed(UNCONFIGURED)
