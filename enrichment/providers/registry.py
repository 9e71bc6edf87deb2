"""All kinds of providers. A new one is one file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from enrichment.account import Accounts
from enrichment.providers import accounts, csv_file, directory
from enrichment.providers.pool import Pool
from enrichment.providers.provider import Lookup
from schemas.org import ProviderSettings


@dataclass(frozen=True, slots=True)
class Tools:
    """What providers may use. accounts: the table. secret_of: name of an environment variable -> its value.

    pool: its owner closes it.
    """

    accounts: Accounts
    secret_of: Callable[[str], str]
    pool: Pool


def _http(settings: ProviderSettings, tools: Tools) -> Lookup:
    from enrichment.providers import http_json  # 6 MB of aiohttp, where nobody outside is asked

    return http_json.opened(settings, tools.secret_of, tools.pool)


PROVIDERS: dict[str, Callable[[ProviderSettings, Tools], Lookup]] = {
    "directory": lambda settings, tools: directory.opened(),
    "accounts": lambda settings, tools: accounts.opened(tools.accounts),
    "csv": lambda settings, tools: csv_file.opened(settings),
    "http": _http,
}
"""kind -> what opens one: `PROVIDERS[settings.kind](settings, tools)`. Opening asks nobody."""

AT_HAND = frozenset({"directory", "accounts"})
"""Kinds that answer out of memory, in microseconds."""
