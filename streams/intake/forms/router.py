"""`/forms/<name>`: submissions that other people's form tools send by themselves, each call signed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import orjson
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from yarl import URL

from enrichment.providers.address import AddressRefused, check_url
from enrichment.providers.pool import Pool
from streams.intake import submission
from streams.intake.body import raw_body
from streams.intake.called_url import called_url
from streams.intake.forms.call import Call, CallRefused, NotReachable
from streams.intake.forms.kinds import FORMS
from streams.intake.forms.source import Form
from streams.intake.problem import Refused, answer_schema
from streams.intake.settings import IntakeSettings
from streams.intake.submission import Submission

_FETCH_SECONDS = 4.0  # LinkedIn and HubSpot call again what took longer than 5 s
_MOST_BYTES = 1_000_000

Publish = Callable[[tuple[Submission, ...], datetime], Awaitable[None]]

log = structlog.get_logger()


class Taken(BaseModel):
    """Acknowledged by Kafka. ids: one a submission, in order; a repeated call has the same ones."""

    ids: tuple[str, ...]


def forms_router(settings: IntakeSettings, forms: Mapping[str, Form], publish: Publish) -> APIRouter:
    """Return the endpoints. publish: returns once Kafka has acknowledged."""
    router = APIRouter()

    @router.post("/forms/{name}", status_code=200, responses=answer_schema())
    async def take(request: Request, name: str) -> Taken:
        """Take what a form tool sends (docs/capture.md): signed by it, so without an API key."""
        form = _form(forms, name)
        body, now = await raw_body(request, settings.max_body_bytes), datetime.now(UTC)
        headers = {key.lower(): value for key, value in request.headers.items()}
        call = Call(body, headers, called_url(settings, request), now)
        kind = FORMS[form.source.kind]
        if not kind.is_signed(call, form):
            raise Refused(401, "not-signed", f"The call is not signed as {form.source.kind} signs.", _CHECK)
        try:
            rows = await kind.leads(call, form, partial(fetched, frozenset(form.source.allow_hosts)))
        except CallRefused as error:
            raise Refused(422, "invalid-body", str(error), "docs/capture.md has the shape.") from error
        except NotReachable as error:
            raise Refused(503, "not-fetched", str(error), "Send it again.", retry_after_seconds=30) from error
        found = submission.leads(list(rows), f"form/{name}", now, settings.max_batch) if rows else ()
        if found:
            await publish(found, now)
        log.info("form.taken", form=name, kind=form.source.kind, taken=len(found))
        return Taken(ids=tuple(one.id for one in found))

    @router.get("/forms/{name}", response_model=None, responses=answer_schema())
    async def challenge(request: Request, name: str) -> Response:
        """Answer the challenge by which Meta and LinkedIn make sure that the endpoint is ours."""
        form = _form(forms, name)
        answer = FORMS[form.source.kind].challenge(dict(request.query_params), form)
        if answer is None:
            raise Refused(403, "no-challenge", "This is no challenge that we can answer.", _CHECK)
        return JSONResponse(answer) if isinstance(answer, dict) else PlainTextResponse(answer)

    return router


_CHECK = "Check the secret of the forms file, LEADSTREAM_INTAKE_PUBLIC_URL and the clock."


async def fetched(allowed: frozenset[str], url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Any:
    """Return the JSON at `url`, of the form tool that the forms file names. Redirects are not followed.

    allowed: hosts that may be private, by name. Raises NotReachable: the message holds no part of the answer.
    """
    pool = Pool()
    try:
        check_url(URL(url), allowed)
        async with (
            asyncio.timeout(_FETCH_SECONDS),
            pool.session(allowed).get(url, params=query, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise NotReachable(f"the form tool's API answered {answer.status}")
            return orjson.loads(await answer.content.read(_MOST_BYTES))
    except (aiohttp.ClientError, AddressRefused, TimeoutError) as error:
        raise NotReachable(f"the form tool's API could not be reached: {type(error).__name__}") from None
    except orjson.JSONDecodeError:
        raise NotReachable("the form tool's API answered no JSON") from None
    finally:
        await pool.close()


def _form(forms: Mapping[str, Form], name: str) -> Form:
    form = forms.get(name)
    if form is None:
        raise Refused(404, "no-such-form", "There is no form of this name.", "Add it to LEADSTREAM_INTAKE_FORMS_FILE.")
    return form
