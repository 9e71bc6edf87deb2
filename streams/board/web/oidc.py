"""Signing in at an OpenID Connect provider: the authorization code flow with PKCE, state and nonce.

The ID token is verified by PyJWT: signature by the provider's key set, issuer, audience, expiry and nonce. Between the
two redirects the browser holds state, nonce and verifier in a signed cookie of ten minutes; the server holds nothing.
"""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt
import orjson
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from streams.board.views.people import entities
from streams.board.web.board import Board
from streams.board.web.login import door, with_session
from streams.board.web.session import key_for

COOKIE = "board-oidc"
_SECONDS = 600
_HTTP_SECONDS = 10
_KEYS_SECONDS = 300.0
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
log = structlog.get_logger()


class LoginFailed(Exception):
    """The provider did not vouch for anybody. The message says why, for the log; the page says to try again."""


class Provider:
    """One provider, by its discovery document. Documents and keys are asked for again after five minutes."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._kept: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def about(self) -> Mapping[str, Any]:
        """Return the discovery document. Raises LoginFailed where it is not the issuer's own."""
        found = await self._json(f"{self._issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._issuer:
            raise LoginFailed("the discovery document names another issuer")
        return found

    async def key(self, token: str) -> Any:
        """Return the key that a token says it was signed with. An unknown one is looked for once more: keys rotate."""
        url = str((await self.about())["jwks_uri"])
        wanted = jwt.get_unverified_header(token).get("kid")
        for is_again in (False, True):
            if is_again:
                self._kept.pop(url, None)
            keys = jwt.PyJWKSet.from_dict(dict(await self._json(url))).keys
            for one in keys:
                if one.key_id == wanted or (wanted is None and len(keys) == 1):
                    return one.key
        raise LoginFailed("the provider has no such key")

    async def exchange(self, form: Mapping[str, str]) -> str:
        """Return the ID token for a code."""
        url = str((await self.about())["token_endpoint"])
        async with _client() as client, client.post(url, data=dict(form)) as answer:
            said = await answer.json(content_type=None)
            if answer.status != 200 or not isinstance(said, dict) or "id_token" not in said:
                raise LoginFailed(f"the token endpoint answered {answer.status}")
            return str(said["id_token"])

    async def _json(self, url: str) -> Mapping[str, Any]:
        kept = self._kept.get(url)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        async with _client() as client, client.get(url) as answer:
            if answer.status != 200:
                raise LoginFailed(f"the provider answered {answer.status}")
            found = await answer.json(content_type=None)
        if not isinstance(found, dict):
            raise LoginFailed("the provider's document is no JSON object")
        self._kept[url] = (time.monotonic() + _KEYS_SECONDS, found)
        return found


def oidc_router(board: Board) -> APIRouter:
    """Return the two routes: to the provider, and back from it."""
    router, provider = APIRouter(), Provider(board.settings.oidc_issuer)
    key = key_for(board.secret, "oidc")

    @router.get("/oidc/start", include_in_schema=False)
    async def start(request: Request) -> Response:
        try:
            about = await provider.about()
        except (LoginFailed, aiohttp.ClientError, TimeoutError) as error:
            return _failed(board, error)
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": board.settings.oidc_client_id,
            "redirect_uri": _redirect(board, request),
            "scope": "openid email profile",
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        answer = RedirectResponse(f"{about['authorization_endpoint']}?{urlencode(asked)}", 303)
        cookie = jwt.encode(kept | {"exp": int(time.time()) + _SECONDS}, key, "HS256")
        is_https = board.settings.public_url.startswith("https:")
        answer.set_cookie(
            COOKIE, cookie, max_age=_SECONDS, httponly=True, samesite="lax", secure=is_https, path="/oidc"
        )
        return answer

    @router.get("/oidc/callback", include_in_schema=False)
    async def back(request: Request, code: str = "", state: str = "") -> Response:
        try:
            kept = jwt.decode(request.cookies.get(COOKIE, ""), key, algorithms=["HS256"], options={"require": ["exp"]})
            if not code or not secrets.compare_digest(str(kept["state"]).encode(), state.encode()):
                raise LoginFailed("the state is another one")
            claims = await _claims(board, provider, request, code, kept)
        except (LoginFailed, jwt.InvalidTokenError, jwt.PyJWKError, aiohttp.ClientError, TimeoutError) as error:
            return _failed(board, error)
        who, name = await _person(board, claims)
        answer = with_session(board, who, name, RedirectResponse("/", 303))
        answer.delete_cookie(COOKIE, path="/oidc")
        return answer

    return router


async def _claims(
    board: Board, provider: Provider, request: Request, code: str, kept: Mapping[str, Any]
) -> Mapping[str, Any]:
    secret = board.settings.oidc_client_secret
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _redirect(board, request),
        "client_id": board.settings.oidc_client_id,
        "code_verifier": str(kept["verifier"]),
    }
    token = await provider.exchange(form | ({"client_secret": secret.get_secret_value()} if secret else {}))
    key, about = await provider.key(token), await provider.about()
    claims = await asyncio.to_thread(
        jwt.decode,
        token,
        key,
        algorithms=list(_ALGORITHMS),
        audience=board.settings.oidc_client_id,
        issuer=about["issuer"],
        leeway=30,
        options={"require": ["exp", "iat", "sub", "aud", "iss"]},
    )
    if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), str(kept["nonce"]).encode()):
        raise LoginFailed("the nonce is another one")
    if not claims.get(board.settings.oidc_claim):
        raise LoginFailed(f"the token has no claim {board.settings.oidc_claim}")
    if board.settings.oidc_claim == "email" and claims.get("email_verified") is not True:
        raise LoginFailed("the address is not verified; name another claim in LEADSTREAM_BOARD_OIDC_CLAIM")
    return dict(claims)


async def _person(board: Board, claims: Mapping[str, Any]) -> tuple[str, str]:
    """Return (id, name) of who signed in: a rep by a verified address, else the subject and the claim."""
    address = str(claims.get("email", "")).lower() if claims.get("email_verified") else ""
    rows = await board.look(lambda connection: entities(connection, "rep")) if address else {}
    for rep, value in rows.items():
        if str(orjson.loads(value).get("email") or "").lower() == address:
            return rep, str(claims[board.settings.oidc_claim])
    return str(claims["sub"]), str(claims[board.settings.oidc_claim])


def _redirect(board: Board, request: Request) -> str:
    base = board.settings.public_url.rstrip("/") or f"http://{request.headers.get('host', '')}"
    return f"{base}/oidc/callback"


def _failed(board: Board, error: Exception) -> Response:
    log.warning("login.failed", reason=str(error) or type(error).__name__)
    return door(board, "Signing in did not work. Try again; if it stays so, tell whoever runs leadstream.", 401)


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_HTTP_SECONDS))
