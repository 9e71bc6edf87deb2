"""Who is let in and who may act: keys, a company account, sessions that cannot be made up."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from schemas.rep import Rep
from streams.board.fold import fold
from streams.board.follower import Follower
from streams.board.lag import Lag
from streams.board.log import DecisionLog
from streams.board.settings import BoardSettings
from streams.board.store import Store
from streams.board.web.app import create_app
from streams.board.web.board import Board
from streams.board.web.live import Live
from streams.board.web.session import COOKIE, key_for, login_in, signed
from streams.intake.api_key import digest
from streams.intake.publisher import Publisher
from streams.intake.submission import Submission
from streams.kafka.config import ClusterSettings
from tests.lab.identity_provider import IdentityProvider, identity_provider
from tests.unit.streams.board.decisions import decided, seen

SECRET = b"a secret of thirty-two characters"
LEAD = decided().lead_id
ADA = {"sub": "00u1a", "email": "ada@seller.example", "email_verified": True}


@dataclass(slots=True)
class StillFollower:
    """A follower that has read everything, or as much as `lag` leaves."""

    version: int = 1
    failed: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    on_passed_over: Any = None
    lag: Lag = field(default_factory=Lag)

    def behind(self) -> Lag:
        return self.lag


class NoDecisions:
    """A log that keeps nothing: asked at an address where nobody listens, the real one takes five seconds to say so."""

    def decisions_at(self, _places: Any) -> list[Any]:
        return []


@dataclass(slots=True)
class Outbox:
    """What was published."""

    sent: list[Submission] = field(default_factory=list)

    async def publish(self, submissions: Sequence[Submission], _at: datetime) -> None:
        self.sent.extend(submissions)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "board.sqlite")
    rep = Rep(id="r-1", name="Ada Reyes", email="Ada@seller.example")
    with made.writing() as connection:
        fold(connection, [*seen([decided()]), *seen([rep], topic="reps", key="r-1")], {})
    yield made
    made.close()


def board(store: Store, outbox: Outbox | None = None, digests: dict[str, str] | None = None, **given: Any) -> Board:
    follower = cast(Follower, StillFollower())
    publisher = cast(Publisher, outbox or Outbox())
    settings, cluster = BoardSettings(**given), ClusterSettings(bootstrap="127.0.0.1:1")
    live, log = Live(follower), cast(DecisionLog, NoDecisions())
    now = partial(datetime.now, UTC)
    return Board(settings, cluster, store, follower, live, publisher, log, digests or {}, now, SECRET)


@asynccontextmanager
async def browser(of: Board) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(of))
    async with httpx.AsyncClient(transport=transport, base_url="http://board.example") as client:
        yield client


async def through(client: httpx.AsyncClient) -> httpx.Response:
    """Sign in at the provider as a browser does: to it, and back."""
    start = await client.get("/oidc/start")
    async with httpx.AsyncClient() as outside:
        back = await outside.get(start.headers["location"])
    return await client.get(back.headers["location"])


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider(dict(ADA)) as found:
        yield found


def with_oidc(store: Store, provider: IdentityProvider, outbox: Outbox | None = None, **given: Any) -> Board:
    about = {"oidc_issuer": provider.issuer, "oidc_client_id": "board", "oidc_client_secret": "client-secret"}
    return board(store, outbox, **about, **given)


async def test_without_a_login_no_page_is_shown(store: Store) -> None:
    async with browser(board(store, digests={"ada": digest("k")})) as client:
        for path in ("/", "/risk", f"/leads/{LEAD}", "/search?q=acme"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
            assert "Acme" not in answer.text
        assert (await client.get("/events")).status_code == 401


async def test_a_key_lets_in_and_a_wrong_one_does_not(store: Store) -> None:
    async with browser(board(store, digests={"ada": digest("right")})) as client:
        refused = await client.post("/login", data={"key": "wrong"})
        assert (refused.status_code, COOKIE in refused.cookies) == (401, False)
        entered = await client.post("/login", data={"key": "right"})
        said = entered.headers["set-cookie"].lower()
        assert "httponly" in said
        assert "samesite=lax" in said
        assert "Acme" in (await client.get("/search?q=acme")).text


async def test_a_company_account_lets_in_and_is_the_rep_of_its_verified_address(
    store: Store, provider: IdentityProvider
) -> None:
    outbox = Outbox()
    async with browser(with_oidc(store, provider, outbox, actors="r-1")) as client:
        assert (await through(client)).headers["location"] == "/"
        page = (await client.get(f"/leads/{LEAD}")).text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": csrf, "to": "r-1", "reason": "workload"}
        assert (await client.post(f"/leads/{LEAD}/move", data=form)).status_code == 303
    (sent,) = outbox.sent
    assert b'"by":"r-1"' in sent.value
    assert b"ada@seller" not in sent.value


WRONGS: dict[str, dict[str, Any]] = {
    "for another client": {"aud": "other"},
    "of another issuer": {"iss": "https://elsewhere.example"},
    "too old": {"exp": 1_000},
    "of another login": {"nonce": "other"},
    "of an address that is not verified": {"email_verified": False},
    "without the claim": {"email": ""},
}


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS)
async def test_a_token_is_refused(store: Store, provider: IdentityProvider, wrong: dict[str, Any]) -> None:
    provider.wrong = wrong
    async with browser(with_oidc(store, provider)) as client:
        answer = await through(client)
        assert (answer.status_code, COOKIE in client.cookies) == (401, False)
        assert "did not work" in answer.text


async def test_a_token_of_another_key_is_refused(store: Store, provider: IdentityProvider) -> None:
    provider.announced = rsa.generate_private_key(65_537, 2_048)
    async with browser(with_oidc(store, provider)) as client:
        assert (await through(client)).status_code == 401


async def test_a_key_that_is_new_since_the_last_login_is_looked_up(store: Store, provider: IdentityProvider) -> None:
    async with browser(with_oidc(store, provider)) as client:
        assert (await through(client)).status_code == 303
        provider.key, provider.key_id = rsa.generate_private_key(65_537, 2_048), "k2"
        assert (await through(client)).status_code == 303


async def test_an_answer_that_nobody_asked_for_is_refused(store: Store, provider: IdentityProvider) -> None:
    async with browser(with_oidc(store, provider)) as client:
        start = await client.get("/oidc/start")
        async with httpx.AsyncClient() as outside:
            back = (await outside.get(start.headers["location"])).headers["location"]
        assert (await client.get(back.split("state=")[0] + "state=other")).status_code == 401
        client.cookies.clear()
        assert (await client.get(back)).status_code == 401


async def test_a_provider_that_is_away_is_no_crash(store: Store) -> None:
    given = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "board"}
    async with browser(board(store, **given)) as client:
        assert (await client.get("/oidc/start")).status_code == 401


async def test_who_may_only_look_sees_no_form_and_cannot_send_one(store: Store) -> None:
    outbox = Outbox()
    async with browser(board(store, outbox, digests={"wall": digest("k")}, actors="ada")) as client:
        await client.post("/login", data={"key": "k"})
        page = (await client.get("/")).text
        assert "looking only" in page
        assert "Move the lead" not in (await client.get(f"/leads/{LEAD}")).text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": csrf, "to": "r-1", "reason": "workload"}
        assert (await client.post(f"/leads/{LEAD}/move", data=form)).status_code == 403
    assert outbox.sent == []


async def test_a_form_with_another_origin_is_refused(store: Store) -> None:
    outbox = Outbox()
    async with browser(board(store, outbox, is_open=True, actors="board")) as client:
        page = (await client.get(f"/leads/{LEAD}")).text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": csrf, "to": "r-1", "reason": "workload"}
        foreign = {"origin": "https://evil.example"}
        assert (await client.post(f"/leads/{LEAD}/move", data=form, headers=foreign)).status_code == 403
        assert outbox.sent == []
        assert (await client.post(f"/leads/{LEAD}/move", data={**form, "reason": "x"})).status_code == 422
        assert (await client.post(f"/leads/{LEAD}/move", data={**form, "to": "x"})).status_code == 422
        assert (await client.post("/reps/r-9/away", data=form)).status_code == 404
        long = {**form, "note": "x" * 20_000}
        assert (await client.post(f"/leads/{LEAD}/move", data=long)).status_code == 413


def test_a_session_that_is_made_up_old_or_of_another_purpose_is_none() -> None:
    assert login_in(SECRET, signed(SECRET, "r-1", "Ada", 60)) == ("r-1", "Ada")
    assert login_in(SECRET, signed(b"another secret of 32 characters..", "r-1", "Ada", 60)) is None
    assert login_in(SECRET, signed(SECRET, "r-1", "Ada", -60)) is None
    assert login_in(SECRET, jwt.encode({"sub": "r-1"}, key_for(SECRET, "session"), "HS256")) is None
    assert login_in(SECRET, jwt.encode({"sub": "r-1", "exp": 1 << 40, "aud": "board"}, key_for(SECRET, "oidc"))) is None
    assert login_in(SECRET, "") is None


async def test_every_answer_is_guarded_and_pages_are_kept_by_nobody(store: Store) -> None:
    async with browser(board(store, is_open=True)) as client:
        for path, kept in (("/", "no-store"), ("/nowhere", "no-store"), ("/static/board.css", "public, max-age=3600")):
            headers = (await client.get(path)).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'"), path
            assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", kept), path
