"""Which addresses a user-given URL may reach: public ones, and hosts that a setting allows by name."""

import asyncio
import ipaddress
import socket
from collections.abc import Collection

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from enrichment.providers.provider import ProviderWrong

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that IANA has given out as global unicast. What is outside (IPv4-compatible, translated, site-local, local NAT64)
# may lead to any private host, and the standard library calls some of it global.
_UNICAST = ipaddress.ip_network("2000::/3")
_SPECIAL = ipaddress.ip_network("192.0.0.0/24")  # 192.0.0.192 is a cloud's metadata


class AddressRefused(ProviderWrong):
    """The URL leads to a private, loopback, link-local or metadata address. Allow its host by name if it is meant."""


def is_public(text: str) -> bool:
    """Tell whether a literal address is on the public internet, whatever form it hides in (mapped, 6to4, NAT64)."""
    address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is None and address.teredo is not None:
            return False
        if inner is not None:
            return is_public(str(inner))
        if address not in _UNICAST:
            return False
    elif address in _SPECIAL:
        return False
    return address.is_global and not address.is_multicast


def check_url(url: URL, allowed: Collection[str]) -> None:
    """Refuse what is wrong with a URL before any look-up. Raises AddressRefused."""
    if url.scheme not in ("http", "https") or not url.host or url.user is not None:
        raise AddressRefused("the URL is no plain http(s) URL")
    if url.host in allowed:
        return
    try:
        public = is_public(url.host)
    except ValueError:
        return  # a name: the resolver looks at what it stands for
    if not public:
        raise AddressRefused("the URL is a private address")


class PublicResolver(AbstractResolver):
    """Resolves a host and refuses private addresses. The connection is made to what was checked: no rebinding."""

    def __init__(self, allowed: Collection[str], inner: AbstractResolver | None = None) -> None:
        self._allowed = frozenset(allowed)
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if self._inner is None:
            self._inner = ThreadedResolver(asyncio.get_running_loop())
        found = await self._inner.resolve(host, port, family)
        if host not in self._allowed and not all(is_public(row["host"]) for row in found):
            raise AddressRefused("the host stands for a private address")
        return found

    async def close(self) -> None:
        if self._inner is not None:
            await self._inner.close()
