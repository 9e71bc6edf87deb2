import pytest

from notifiers.address import PublicResolver, check_url, guarded_session, is_public
from notifiers.http import call
from notifiers.outcome import Refused

PRIVATE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://[::1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://224.0.0.1/",
    "http://0.0.0.0/",
    "http://255.255.255.255/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_literal_private_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url, frozenset())


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://a.example", "http://user:pass@a.example/", "//a.example", "http://", "nonsense"],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url, frozenset())


@pytest.mark.parametrize("url", ["https://hooks.example/x", "http://93.184.216.34/", "https://[2606:4700::1111]/"])
def test_a_public_address_or_a_name_passes(url: str) -> None:
    check_url(url, frozenset())


def test_a_host_that_the_settings_name_passes() -> None:
    check_url("http://127.0.0.1:8080/x", frozenset({"127.0.0.1"}))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%eth0", "not an address", ""])
def test_these_are_not_public(address: str) -> None:
    assert not is_public(address)


async def test_a_name_that_resolves_into_a_private_network_is_refused_before_connecting() -> None:
    session = guarded_session(frozenset(), 1)
    try:
        with pytest.raises(Refused, match="private network"):
            await call(session, "POST", "http://localhost:1/", name="the webhook", timeout_seconds=2)
    finally:
        await session.close()


async def test_an_allowed_name_may_resolve_into_a_private_network() -> None:
    resolver = PublicResolver(frozenset({"localhost"}))
    assert await resolver.resolve("localhost", 80)
    await resolver.close()
