"""Which network addresses a URL given by people may reach: public ones, and hosts that the settings name."""

import ipaddress
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from notifiers.outcome import Refused


def is_public(address: str) -> bool:
    """Tell whether `address` (IPv4 or IPv6, text) is on the public internet, IPv4 inside IPv6 looked at too."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None and not is_public(str(inner)):
            return False
        if ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64: the last 32 bits are the IPv4 that is reached
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


def check_url(url: str, allowed_hosts: frozenset[str], name: str = "the webhook's URL") -> None:
    """Raise Refused unless `url` is http(s) and its host is a name, a public address or allowed. name: for reasons.

    Names are checked where they are resolved (`PublicResolver`), so rebinding finds no gap.
    """
    try:
        parsed = URL(url)
    except ValueError as error:
        raise Refused(f"{name} cannot be read") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.user:
        raise Refused(f"{name} must be http or https with a host and no user")
    if parsed.host in allowed_hosts:
        return
    if _is_literal(parsed.host) and not is_public(parsed.host):
        raise Refused(f"{name} points into a private network")


def _is_literal(host: str) -> bool:
    try:
        socket.inet_aton(host)  # also 127.1, 0x7f.1 and 2130706433, which a resolver would take
    except OSError:
        return ":" in host
    return True


class PublicResolver(AbstractResolver):
    """Resolves names and refuses those with any private address, unless the host is allowed by name."""

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self._inner = DefaultResolver()
        self._allowed = allowed_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        rows = await self._inner.resolve(host, port, family)
        if host not in self._allowed and not all(is_public(row["host"]) for row in rows):
            raise Refused("the host resolves into a private network")
        return rows

    async def close(self) -> None:
        await self._inner.close()


def guarded_session(allowed_hosts: frozenset[str], limit: int) -> aiohttp.ClientSession:
    """Return a session whose names resolve to public addresses only. Callers forbid redirects and call `check_url`."""
    connector = aiohttp.TCPConnector(resolver=PublicResolver(allowed_hosts), limit=limit)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
