"""Connections to providers, made when first used and closed with their owner."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

# A batch of 500 leads a second asks for all of its companies at once; with 50, a provider that takes 200 ms answers
# 250 a second at most, and the others miss the fast deadline. What a provider allows is its `per_second`.
_MOST_CONNECTIONS_A_HOST = 500


class Pool:
    """One session per set of hosts that may be private, so that one provider's leave is no other's."""

    def __init__(self) -> None:
        self._sessions: dict[frozenset[str], aiohttp.ClientSession] = {}

    def session(self, allowed: frozenset[str]) -> "aiohttp.ClientSession":
        """Return the session that reaches public addresses and the hosts of `allowed`. Within a running loop."""
        import aiohttp  # a process without providers outside has a pool that it never uses

        from enrichment.providers.address import PublicResolver

        known = self._sessions.get(allowed)
        if known is None or known.closed:
            # no DNS cache: what is resolved is checked and connected to, each time
            connector = aiohttp.TCPConnector(
                resolver=PublicResolver(allowed), limit=0, limit_per_host=_MOST_CONNECTIONS_A_HOST, use_dns_cache=False
            )
            known = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            self._sessions[allowed] = known
        return known

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
