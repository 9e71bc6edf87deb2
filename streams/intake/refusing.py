"""Every refusal in one form: RFC 9457 problem details."""

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from streams.intake.problem import Refused
from streams.intake.publisher import NotAcknowledged

RETRY_SECONDS = 5


def refuse_plainly(app: FastAPI, log: structlog.stdlib.BoundLogger) -> None:
    """Turn refusals, missing acknowledgements and unknown endpoints into problem details."""

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> JSONResponse:
        return _problem(error)

    @app.exception_handler(NotAcknowledged)
    async def unacknowledged(_request: Request, error: NotAcknowledged) -> JSONResponse:
        log.warning("record.not_acknowledged", reason=str(error))
        return _problem(
            Refused(
                503,
                "not-acknowledged",
                "Kafka did not acknowledge in time: nothing is promised.",
                "Send the same request again after Retry-After; with the same id it cannot count twice.",
                retry_after_seconds=RETRY_SECONDS,
            )
        )

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def no_such_route(_request: Request, error: HTTPException) -> JSONResponse:
        answer = _problem(
            Refused(
                error.status_code,
                "no-such-endpoint" if error.status_code == 404 else "not-possible-here",
                str(error.detail),
                "The endpoints are POST /leads, POST /activity, PUT /reps/{id} and those of /openapi.json.",
            )
        )
        answer.headers.update(error.headers or {})
        return answer


def _problem(refused: Refused) -> JSONResponse:
    return JSONResponse(
        refused.details.model_dump(mode="json"),
        status_code=refused.status,
        headers=refused.headers(),
        media_type="application/problem+json",
    )
