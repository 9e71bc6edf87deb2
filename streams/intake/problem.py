"""What the intake answers when it refuses: RFC 9457 problem details that say which field, and what to do."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """One thing wrong in the body. field: JSON path from the body's root, "0.kind" in a batch."""

    field: str
    problem: str
    fix: str


class ProblemDetails(BaseModel):
    """`application/problem+json`, RFC 9457, with two members of ours: fix and errors."""

    model_config = ConfigDict(json_schema_extra={"description": "RFC 9457 problem details"})

    type: str = Field(description="stable identifier of the kind of problem")
    title: str
    status: int
    detail: str
    fix: str = Field(description="what the caller can do")
    errors: tuple[FieldProblem, ...] = ()


class Refused(Exception):
    """The request is refused. Becomes the answer: `status`, problem details, `headers`."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        fix: str,
        errors: Sequence[FieldProblem] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.details = ProblemDetails(
            type=f"urn:leadstream:problem:{kind}",
            title=kind.replace("-", " ").capitalize(),
            status=status,
            detail=detail,
            fix=fix,
            errors=tuple(errors),
        )

    def headers(self) -> dict[str, str]:
        """Return the headers that go with the answer."""
        given: dict[str, str] = {}
        if self.retry_after_seconds is not None:
            given["Retry-After"] = str(self.retry_after_seconds)
        if self.status == 401:
            given["WWW-Authenticate"] = "Bearer"
        return given


def invalid(errors: Sequence[FieldProblem]) -> Refused:
    """Return the refusal of a body that is JSON, but not what the endpoint takes."""
    first = errors[0]
    detail = f"{first.field}: {first.problem}" + (f" (+{len(errors) - 1} more)" if len(errors) > 1 else "")
    return Refused(422, "invalid-body", detail, first.fix, errors)


def answer_schema() -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the refusals that every writing endpoint may give."""
    said = {
        400: "the body is no JSON",
        401: "no API key, or one that is not known",
        408: "the body came too slowly",
        413: "the body is too long",
        415: "the body is not application/json",
        422: "JSON, but not what is asked for",
        429: "more records than the key may write; see Retry-After",
        503: "Kafka did not acknowledge: nothing is promised, try again after Retry-After, with the same id",
    }
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {"description": text, "content": {"application/problem+json": {"schema": schema}}}
        for status, text in said.items()
    }
