"""The CRM that the settings name, behind its official client. A new one is a module and a line here."""

from collections.abc import Callable, Mapping

from notifiers.crm.mirror import RemoteCrm
from notifiers.settings import CrmSettings
from streams.settings import SettingsError


class NoCrm(SettingsError):
    """No CRM that can be read is set. Set crm.hubspot or crm.salesforce in LEADSTREAM_CHANNELS."""


def _hubspot(settings: CrmSettings, patience_seconds: float) -> RemoteCrm | None:
    if settings.hubspot is None:
        return None
    from notifiers.crm.hubspot_remote import HubSpotRemote  # here: the client takes a third of a second to load

    return HubSpotRemote(settings.hubspot, patience_seconds)


def _salesforce(settings: CrmSettings, patience_seconds: float) -> RemoteCrm | None:
    if settings.salesforce is None:
        return None
    from notifiers.crm.salesforce_remote import SalesforceRemote

    return SalesforceRemote(settings.salesforce, patience_seconds)


REMOTES: Mapping[str, Callable[[CrmSettings, float], RemoteCrm | None]] = {
    "hubspot": _hubspot,
    "salesforce": _salesforce,
}


def remote_of(settings: CrmSettings, patience_seconds: float) -> RemoteCrm:
    """Return the first CRM that is set, as NOTIFY writes to the first. Raises NoCrm."""
    for opened in REMOTES.values():
        remote = opened(settings, patience_seconds)
        if remote is not None:
            return remote
    raise NoCrm
