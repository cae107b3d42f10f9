"""``POST /v1/uploads``: an address in the object store, for files too large to pass through here."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from services.gateway.answer_schemas import UploadOut
from services.gateway.auth import Submitter
from services.gateway.parameters import json_body
from services.gateway.problems import SECURED, documented
from services.gateway.receive import SMALL_JSON_BYTES, read_json
from services.gateway.request_schemas import UploadIn
from services.gateway.resources import GatewayDep, Resources
from shared.db import uploads

router = APIRouter(tags=["uploads"])


@router.post(
    "/v1/uploads",
    status_code=201,
    response_model=UploadOut,
    responses=documented(*SECURED, 400, 413),
    openapi_extra=json_body("UploadIn"),
    summary="Ask for an upload address",
)
async def create(request: Request, gateway: GatewayDep, key: Submitter) -> JSONResponse:
    """PUT the file to `url`, then submit a job with the upload's `id`: one, which takes the file over."""
    body = await read_json(request, SMALL_JSON_BYTES, UploadIn)
    return JSONResponse(await run_in_threadpool(_note, gateway, key.client_id, body.filename), 201)


def _note(gateway: Resources, client_id: UUID, filename: str | None) -> dict[str, Any]:
    expires = timedelta(seconds=gateway.settings.gateway.presign_ttl_s)
    upload = gateway.transact(lambda connection: uploads.create(connection, client_id, filename, expires))
    url = gateway.objects.presigned_put(upload.object_name, expires)
    return {"id": str(upload.id), "url": url, "method": "PUT", "expires_at": upload.expires_at.isoformat()}
