"""The intake's OpenAPI document: bodies are parsed by hand, so their schemas are put in by hand."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from schemas.activity import ActivityReported
from schemas.lead import SubmittedLead
from schemas.rep import Rep
from streams.intake.problem import ProblemDetails

_MODELS: dict[str, type[BaseModel]] = {
    "SubmittedLead": SubmittedLead,
    "ActivityReported": ActivityReported,
    "Rep": Rep,
    "ProblemDetails": ProblemDetails,
}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the document of `app`, made at the first call and kept there."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(title=app.title, version=app.version, routes=app.routes, description=app.description)
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name, model in _MODELS.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[name] = schema
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    app.openapi_schema = made
    return made
