"""Reading a request's body: bounded in size and time, JSON or refused."""

import asyncio
from typing import Any

import orjson
from fastapi import Request

from streams.intake.problem import Refused

READ_SECONDS = 15.0


async def json_body(request: Request, max_bytes: int) -> Any:
    """Return the parsed body. Raises Refused: 415, 413 (as soon as it is known), 408, 400."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Refused(
            415, "not-json", "The body is not declared as JSON.", "Send the header Content-Type: application/json."
        )
    body = await raw_body(request, max_bytes)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(
            400,
            "malformed-json",
            f"The body is no JSON: line {error.lineno}, column {error.colno}.",
            "Send one JSON object, or an array of them, in UTF-8. NaN and Infinity are no JSON.",
        ) from error


async def raw_body(request: Request, max_bytes: int) -> bytes:
    """Return the body as it came. Raises Refused: 413, 408."""
    too_long = Refused(
        413,
        "body-too-long",
        f"The body is longer than {max_bytes} bytes.",
        "Send fewer leads in one request, or leave out long texts.",
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise too_long
    except TimeoutError as error:
        raise Refused(
            408, "body-too-slow", f"The body took longer than {READ_SECONDS:.0f} s.", "Send it in one piece."
        ) from error
    return bytes(body)
