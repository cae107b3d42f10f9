"""From a request's body to a submission: a document or the id of an upload, and the options, all checked."""

import base64
import binascii
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from python_multipart.multipart import parse_options_header

from services.gateway.forms import TEXT_BYTES, FormReader
from services.gateway.intake import Intake, ReceivedDocument, too_large
from services.gateway.problems import Problem, ProblemCode, invalid, invalid_parts
from services.gateway.request_schemas import Filename, NewJobIn, OptionsIn
from services.gateway.resources import Resources
from shared.domain.errors import ErrorCode
from shared.domain.job import JobOptions

ModelT = TypeVar("ModelT", bound=BaseModel)

_TEXT_OPTIONS = frozenset(OptionsIn.model_fields)
_JSON_TEXTS = ("requirements", "metadata")
_TRUTHS = {"true": True, "false": False}
_FILENAME: TypeAdapter[str] = TypeAdapter(Filename)
SMALL_JSON_BYTES = 64 * 1024
_FORM_OVERHEAD = TEXT_BYTES + 64 * 1024


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller wants examined, and how. Exactly one of ``document`` and ``upload_id`` is there.

    ``model`` is None where the caller named none.
    """

    model: str | None
    options: JobOptions
    document: ReceivedDocument | None = None
    upload_id: UUID | None = None
    filename: str | None = None

    def close(self) -> None:
        """Let go of the document's bytes."""
        if self.document:
            self.document.close()


async def receive(request: Request, gateway: Resources) -> Submission:
    """Read the body, whichever of the three forms it has."""
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    content_type = kind.decode("latin-1")
    if content_type == "application/json":
        return await _receive_json(request, gateway)
    if content_type == "multipart/form-data":
        _refuse_query(request)
        return await _receive_form(request, gateway, parameters.get(b"boundary", b""))
    if content_type.startswith("image/") or content_type in ("application/pdf", "application/octet-stream"):
        return await _receive_raw(request, gateway, content_type)
    raise Problem(
        ErrorCode.WRONG_CONTENT_TYPE,
        "Send a form (multipart/form-data), the document itself (image/*, application/pdf, application/octet-stream) "
        "or JSON (application/json), and say so in Content-Type.",
    )


async def read_json(request: Request, limit: int, model: type[ModelT]) -> ModelT:
    """The body as JSON of this shape, of at most ``limit`` bytes: JSON is the one kind of body held in memory."""
    body = bytearray()
    async with aclosing(_chunks(request, limit)) as chunks:
        async for chunk in chunks:
            body += chunk
    return await run_in_threadpool(_parse, bytes(body), model)


def decode_base64(text: str, pointer: str) -> bytes:
    """The bytes of base64 text; line breaks are fine, anything else that does not belong there is not."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(
            ProblemCode.INVALID_BASE64,
            "The document is not valid base64 (standard alphabet, with padding).",
            errors=[(pointer, "Not valid base64.")],
        ) from error


def receive_bytes(content: bytes, gateway: Resources, filename: str | None = None) -> ReceivedDocument:
    """A document that is in memory already."""
    intake = Intake(gateway.settings.limits.document_bytes, gateway.settings.gateway.spool_bytes)
    try:
        intake.write(content)
        return intake.finish("", filename)
    except BaseException:
        intake.close()
        raise


async def _receive_json(request: Request, gateway: Resources) -> Submission:
    _refuse_query(request)
    body = await read_json(request, gateway.settings.limits.json_bytes, NewJobIn)
    model, options = body.model, body.to_domain()
    if body.document is None:
        return Submission(model, options, upload_id=body.upload_id, filename=body.filename)
    return Submission(model, options, await run_in_threadpool(_decoded, body.document, gateway, body.filename))


def _decoded(text: str, gateway: Resources, filename: str | None) -> ReceivedDocument:
    return receive_bytes(decode_base64(text, "/document"), gateway, filename)


async def _receive_raw(request: Request, gateway: Resources, content_type: str) -> Submission:
    query = _single_values(request)
    name = query.pop("filename", None)
    filename = _checked_filename(name, "/query/filename") if name is not None else None
    options = _options_of_texts(query, "/query")
    intake = Intake(gateway.settings.limits.document_bytes, gateway.settings.gateway.spool_bytes)
    try:
        async with aclosing(_chunks(request, gateway.settings.limits.document_bytes)) as chunks:
            async for chunk in chunks:
                intake.write(chunk)
                await intake.settle()
        return Submission(options.model, options.to_domain(), intake.finish(content_type, filename))
    except BaseException:
        intake.close()
        raise


async def _receive_form(request: Request, gateway: Resources, boundary: bytes) -> Submission:
    if not boundary:
        raise Problem(ProblemCode.INVALID_REQUEST, "The Content-Type of a form must name its boundary.")
    limit = gateway.settings.limits.document_bytes
    intake = Intake(limit, gateway.settings.gateway.spool_bytes)
    try:
        form = _form_reader(boundary, intake)
        async with aclosing(_chunks(request, limit + _FORM_OVERHEAD)) as chunks:
            async for chunk in chunks:
                form.feed(chunk)
                await intake.settle()
        form.finish()
        options = _options_of_texts(form.texts, "")
        return Submission(
            options.model, options.to_domain(), intake.finish(form.file_type, _plain_filename(form.filename))
        )
    except BaseException:
        intake.close()
        raise


def _form_reader(boundary: bytes, intake: Intake) -> FormReader:
    try:
        return FormReader(boundary, intake, _TEXT_OPTIONS)
    except ValueError as error:
        raise Problem(ProblemCode.INVALID_REQUEST, f"The form is malformed: {error}") from error


async def _chunks(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks, at most ``limit`` bytes, exactly as many as the request said."""
    text = request.headers.get("content-length", "")
    said = int(text[:20]) if text.isdecimal() else None
    if said is not None and said > limit:
        raise too_large(limit)
    came = 0
    async for chunk in request.stream():
        came += len(chunk)
        if came > limit:
            raise too_large(limit)
        yield chunk
    if said is not None and came != said:
        raise Problem(ProblemCode.LENGTH_MISMATCH, f"The request says its body has {said} bytes, but {came} came.")


def _parse(body: bytes, model: type[ModelT]) -> ModelT:
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        raise Problem(ProblemCode.INVALID_JSON, f"The body is not JSON: {error}.") from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid_parts(error.errors(include_url=False, include_input=False)) from error


def _refuse_query(request: Request) -> None:
    for name in request.query_params:
        raise invalid(f"/query/{name[:100]}", "Options belong into the body here.")


def _single_values(request: Request) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise invalid(f"/query/{name[:100]}", "This was given twice.")
        values[name] = value
    return values


def _options_of_texts(texts: Mapping[str, str], prefix: str) -> OptionsIn:
    """Options that came as text, two of them as JSON text."""
    values: dict[str, Any] = dict(texts)
    for name in _JSON_TEXTS:
        if name in values:
            try:
                values[name] = from_json(values[name], allow_inf_nan=False)
            except ValueError as error:
                raise invalid(f"{prefix}/{name}", f"Not JSON: {error}.") from error
    if "training_consent" in values:
        consent = values["training_consent"]
        if consent not in _TRUTHS:
            raise invalid(f"{prefix}/training_consent", "Say true or false.")
        values["training_consent"] = _TRUTHS[consent]
    try:
        return OptionsIn.model_validate(values)
    except ValidationError as error:
        raise invalid_parts(error.errors(include_url=False, include_input=False), prefix) from error


def _checked_filename(text: str, pointer: str) -> str:
    try:
        return _FILENAME.validate_python(text)
    except ValidationError as error:
        raise invalid(pointer, "A file name has 1 to 255 characters, none of them control characters.") from error


def _plain_filename(text: str | None) -> str | None:
    """A form's file name is whatever a browser made of a path: keep what is printable of its last step."""
    if text is None:
        return None
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:255] or None
