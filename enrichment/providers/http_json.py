"""Any provider that answers JSON over HTTP, described in the org file or by a preset."""

from collections.abc import Callable

from enrichment.providers.provider import Lookup
from schemas.org import ProviderSettings


def opened(settings: ProviderSettings, secret_of: Callable[[str], str]) -> Lookup:
    raise NotImplementedError
