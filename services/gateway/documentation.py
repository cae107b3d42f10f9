"""The OpenAPI document: what FastAPI derives from the routes, and what it cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.gateway.answer_schemas import EventsOut, ProblemOut
from services.gateway.correction_schemas import CorrectionIn, NextReviewIn, ReleaseReviewIn
from services.gateway.notification_schemas import SubscriptionIn
from services.gateway.problems import MEDIA_TYPE
from services.gateway.request_schemas import ConsentIn, KeyIn, NewJobForm, NewJobIn, PredictIn, UploadIn

DESCRIPTION = """
Finds signatures on scanned documents and says whether a document is signed.

Submit a document with `POST /v1/jobs`, then ask for the job (`?wait=`), follow its events, or have the outcome
delivered to a `callback_url`. Send your key as `Authorization: Bearer KEY`. Whatever is not a success is an
`application/problem+json` with a stable `code`.
"""

_EXTRA: tuple[type[BaseModel], ...] = (
    NewJobIn,
    NewJobForm,
    PredictIn,
    UploadIn,
    KeyIn,
    SubscriptionIn,
    EventsOut,
    ProblemOut,
    CorrectionIn,
    NextReviewIn,
    ReleaseReviewIn,
    ConsentIn,
)
_REF = "#/components/schemas/{model}"


def install(app: FastAPI, version: str) -> None:
    """Serve our own document at /openapi.json."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app, version)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _build(app: FastAPI, version: str) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=version, description=DESCRIPTION, routes=app.routes)
    schemas = document["components"]["schemas"]
    _, extra = models_json_schema([(model, "validation") for model in _EXTRA], ref_template=_REF)
    for name, schema in extra["$defs"].items():
        schemas.setdefault(name, schema)
    schemas["Problem"] = schemas.pop("ProblemOut")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _document_limits_of_framework(document)
    return document


def _document_limits_of_framework(document: dict[str, Any]) -> None:
    """Every answer names its request; every method on a path that has it not is refused the same way."""
    about_id = {"description": "Id of the request", "schema": {"type": "string"}}
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                answer.setdefault("headers", {})["X-Request-ID"] = about_id
            operation["responses"].setdefault("500", _internal(about_id))


def _internal(about_id: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": "An error of ours",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "headers": {"X-Request-ID": about_id},
    }
