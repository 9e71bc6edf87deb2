"""Any provider that answers JSON over HTTP, described in the org file or by a preset."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import resources
from typing import Any

import aiohttp
import orjson
import yaml
from aiohttp import hdrs
from pydantic import JsonValue
from yarl import URL

from enrichment.providers import mapped, template
from enrichment.providers.address import AddressRefused, check_url
from enrichment.providers.pool import Pool
from enrichment.providers.provider import (
    Answer,
    Firmographics,
    Lookup,
    NoAnswer,
    NotFound,
    ProviderBusy,
    ProviderDown,
    ProviderWrong,
    Query,
)
from enrichment.reach import MAPPED, reach
from schemas.org import HttpProvider, ProviderSettings

_UNKNOWN = frozenset({204, 404, 422})
_WORDS = {"high": 0.9, "medium": 0.7, "low": 0.4}
_CHUNK_BYTES = 16_384
_LONGEST_PAUSE_SECONDS = 3600.0
_NO_TIMER = aiohttp.ClientTimeout(total=None)  # `lookup` has one, at half of the cost


def opened(settings: ProviderSettings, secret_of: Callable[[str], str], pool: Pool) -> Lookup:
    """Return the provider. secret_of: the value of an environment variable.

    Raises ValueError for an unknown preset, ValidationError for an incomplete description.
    """
    return _Client(described(settings), secret_of, pool).lookup


def described(settings: ProviderSettings) -> HttpProvider:
    """Return the full description: the preset's, with what the org file says itself on top."""
    own = settings.http.model_dump(exclude_unset=True) if settings.http else {}
    return HttpProvider.model_validate(_preset(settings.preset) | own if settings.preset else own)


def _preset(name: str) -> dict[str, JsonValue]:
    folder = resources.files("enrichment.providers") / "presets"
    known = sorted(path.name.removesuffix(".yaml") for path in folder.iterdir() if path.name.endswith(".yaml"))
    if name not in known:
        raise ValueError(f"unknown preset {name!r}; there are: {', '.join(known)}")
    described: dict[str, JsonValue] = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return described


class _Client:
    """Asks one provider."""

    def __init__(self, http: HttpProvider, secret_of: Callable[[str], str], pool: Pool) -> None:
        self._http = http
        self._secret_of = secret_of
        self._pool = pool
        self._allowed = frozenset(http.allow_hosts)
        self._has_reach = not MAPPED.isdisjoint(http.mapping)

    async def lookup(self, query: Query, deadline: float) -> Answer:
        http = self._http
        if not getattr(query, http.needs):
            return NotFound()
        values = template.values_of(query)
        url = template.url(http.url, values)
        check_url(url, http.allow_hosts)
        url, how = self._request(url, values)
        session = self._pool.session(self._allowed)
        try:
            async with asyncio.timeout_at(deadline), session.request(http.method, url, **how) as response:
                return self._answer(await self._body(response))
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        except aiohttp.ClientError as error:
            refused = error.__cause__ or error.__context__
            if isinstance(refused, AddressRefused):
                raise refused from None
            raise ProviderDown(type(error).__name__) from None  # its text may quote the URL, and with it the query

    def _request(self, url: URL, values: Mapping[str, str]) -> tuple[URL, dict[str, Any]]:
        """Return the URL and what else aiohttp is given: headers, secret, body. A redirect is never followed."""
        http = self._http
        secret = self._secret_of(http.auth.env) if http.auth.env else ""
        headers = {"Accept": "application/json", **http.headers}
        how: dict[str, Any] = {"headers": headers, "allow_redirects": False, "timeout": _NO_TIMER}
        if http.auth.kind == "header":
            how["headers"][http.auth.name] = http.auth.prefix + secret
        elif http.auth.kind == "query":
            url = url.update_query({http.auth.name: secret})
        elif http.auth.kind == "basic":
            how["headers"]["Authorization"] = "Basic " + b64encode(f"{secret}:".encode()).decode()
        if http.body is not None:
            how["json" if http.body_format == "json" else "data"] = template.body(http.body, values)
        return url, how

    async def _body(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Return the answer's bytes, None where the provider knows nothing. Raises ProviderFailed."""
        status = response.status
        if status in _UNKNOWN:
            return None
        if status == 429:
            raise ProviderBusy(retry_after(response.headers))
        if status >= 500 or status in (202, 408, 425):  # 202: still looking, ask later
            raise ProviderDown(f"status {status}")
        if status != 200:
            raise ProviderWrong(f"status {status}")
        length = response.content_length
        if length is not None and length <= self._http.max_bytes and hdrs.CONTENT_ENCODING not in response.headers:
            return await response.read()
        body = b""
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._http.max_bytes:
                raise ProviderWrong("the answer is too long")
        return body

    def _answer(self, body: bytes | None) -> Answer:
        if body is None:
            return NotFound()
        try:
            answer: JsonValue = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise ProviderWrong("the answer is no JSON") from None
        http = self._http
        if not isinstance(answer, dict | list):
            raise ProviderWrong("the answer is no JSON object")
        if http.found and template.picked(answer, http.found) is None:
            return NotFound()
        values = {name: template.picked(answer, path) for name, path in http.mapping.items()}
        known = mapped.firm(values)
        if known is None:
            return NotFound()
        phone, profiles = reach(values, known.country) if self._has_reach else (None, ())
        return Firmographics(
            known,
            self._confidence(answer),
            found_by=_FOUND_BY[http.needs],
            company_phone=phone,
            company_profiles=profiles,
        )

    def _confidence(self, answer: JsonValue) -> float:
        http = self._http
        said = template.picked(answer, http.confidence) if http.confidence else None
        if isinstance(said, str) and said.lower() in _WORDS:
            return _WORDS[said.lower()]
        if isinstance(said, int | float) and not isinstance(said, bool):
            return min(1.0, max(0.0, said / http.confidence_scale))
        return http.default_confidence


_FOUND_BY = {"domain": "domain", "email": "email", "company": "name"}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a 429 asks to wait, from Retry-After or a rate-limit reset; None where it does not."""
    text = headers.get("Retry-After") or headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset") or ""
    now = datetime.now(UTC)
    try:
        seconds = float(text)
        if seconds > 1_000_000_000:  # an instant, as some providers reset
            seconds -= now.timestamp()
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(0.0, seconds), _LONGEST_PAUSE_SECONDS)
