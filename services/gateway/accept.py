"""Accepting a job: the document into the object store, then one transaction, then the message.

After the answer the job can no longer be lost: a message that was not sent is sent by the reconciler.

A document that was uploaded to the store directly is copied there, and its upload used up in that same transaction: the
job's copy is the one there is, and an erasure deletes it. What a gateway that ends too early leaves of the upload, the
reconciler deletes as expired.
"""

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import Connection

from services.gateway.intake import check_type, too_large
from services.gateway.problems import Problem, ProblemCode
from services.gateway.receive import Submission
from services.gateway.resources import Resources
from shared import dispatch, tracing
from shared.db import jobs, uploads
from shared.db.jobs import Acceptance, NewJob
from shared.db.uploads import Upload
from shared.domain.errors import NotFoundError, TemporaryError
from shared.domain.ids import new_id, new_id_from
from shared.domain.job import Document, Job
from shared.domain.json_forms import requirements_to_json
from shared.objects import ObjectChangedError, ObjectMissingError, ObjectState
from shared.pages.sniff import HEAD_BYTES

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf, under which request id, with which idempotency key (if any), by which person (if any)."""

    client_id: UUID
    request_id: str
    idempotency_key: str | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job, and whether it had been accepted before under the same idempotency key."""

    job: Job
    is_replay: bool


def accept(gateway: Resources, caller: Caller, submission: Submission) -> Accepted:
    """Store, record, announce. Blocks its thread.

    Problems: unknown model, full backlog, used idempotency key, an upload that is missing or just being replaced.
    """
    try:
        return _accept(gateway, caller, submission)
    except (NotFoundError, ObjectMissingError) as error:
        if submission.upload_id is None:
            raise
        earlier = _made_before(gateway, caller, submission, submission.upload_id)
        if earlier is None:
            raise _upload_missing(gateway, caller, submission.upload_id) from error
        return Accepted(earlier, is_replay=True)
    except ObjectChangedError as error:
        raise Problem(
            ProblemCode.UPLOAD_CHANGED,
            "Another file was PUT to the upload's address while it was read; send the request again.",
        ) from error


def _accept(gateway: Resources, caller: Caller, submission: Submission) -> Accepted:
    model = gateway.models.choose(submission.model)
    document, original = _document_of(gateway, caller, submission)
    fingerprint = _fingerprint(document, submission)
    earlier = _look_first(gateway, caller, fingerprint)
    if earlier:
        return Accepted(earlier, is_replay=True)
    with tracing.job_span("store", document.id, bytes=document.size, media_type=document.media_type):
        if original:
            gateway.objects.copy(original.upload.object_name, document.object_name, original.etag)
        elif submission.document:
            gateway.objects.put(document.object_name, submission.document.file, document.size, document.media_type)
    key, person = caller.idempotency_key, caller.account_id
    new = NewJob(document, model, submission.options, caller.request_id, key, fingerprint, person)
    acceptance = _record(gateway, new, original)
    return _announce(gateway, new, original, acceptance)


@dataclass(frozen=True, slots=True)
class _Original:
    """An upload a document is copied from. ``etag`` is that of the bytes that were read."""

    upload: Upload
    etag: str


def _document_of(gateway: Resources, caller: Caller, submission: Submission) -> tuple[Document, _Original | None]:
    """The document to be, and what to copy it from when it was uploaded to the store directly."""
    if submission.upload_id:
        return _uploaded(gateway, caller.client_id, submission.upload_id, submission.filename)
    received = submission.document
    if received is None:
        raise ValueError("a submission without document and upload")
    document = Document(
        new_id(), caller.client_id, received.sha256, received.size, received.media_type, received.filename
    )
    return document, None


def _uploaded(gateway: Resources, client_id: UUID, upload_id: UUID, filename: str | None) -> tuple[Document, _Original]:
    upload = gateway.transact(lambda connection: uploads.get(connection, client_id, upload_id))
    state = gateway.objects.state(upload.object_name)
    sha256, head = _examine(gateway, upload.object_name, state)
    job_id, name = new_id_from(upload_id), filename or upload.filename
    document = Document(job_id, client_id, sha256, state.size, check_type(head, ""), name)
    return document, _Original(upload, state.etag)


def _examine(gateway: Resources, object_name: str, state: ObjectState) -> tuple[str, bytes]:
    """sha256 and first bytes of an object, read once and kept nowhere."""
    limit = gateway.settings.limits.document_bytes
    if state.size > limit:
        raise too_large(limit)
    found, head = hashlib.sha256(), b""
    for chunk in gateway.objects.read(object_name, state.etag):
        if len(head) < HEAD_BYTES:
            head = (head + chunk)[:HEAD_BYTES]
        found.update(chunk)
    return found.hexdigest(), head


def _made_before(gateway: Resources, caller: Caller, submission: Submission, upload_id: UUID) -> Job | None:
    """The job this very request made while its upload was still there."""
    key = caller.idempotency_key
    if key is None:
        return None

    def look(connection: Connection) -> Job | None:
        job = uploads.job_made_of(connection, caller.client_id, upload_id, key)
        # Asked for again with the fingerprint, which would be another with other options.
        return job and jobs.find_by_key(connection, caller.client_id, key, _fingerprint(job.document, submission))

    return gateway.transact(look)


def _upload_missing(gateway: Resources, caller: Caller, upload_id: UUID) -> Problem:
    """Looked up again: where there is no object, another request may just have made its job of the upload."""
    try:
        gateway.transact(lambda connection: uploads.get(connection, caller.client_id, upload_id))
    except NotFoundError as error:
        return Problem(ProblemCode.UPLOAD_MISSING, str(error), status=404)
    return Problem(
        ProblemCode.UPLOAD_MISSING, "Nothing has been uploaded there yet; PUT the file to the address first."
    )


def _fingerprint(document: Document, submission: Submission) -> str:
    """Equal for equal content and options, whichever way they came in.

    The model is the one that was named, if any: who repeats a request after the default has changed repeats the same.
    """
    options = submission.options
    value = [
        document.sha256,
        submission.model,
        options.priority,
        requirements_to_json(options.requirements),
        options.metadata,
        options.callback_url,
        options.training_consent,
    ]
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _look_first(gateway: Resources, caller: Caller, fingerprint: str) -> Job | None:
    """Before anything is stored: was this accepted already, and is there room for more?"""
    key = caller.idempotency_key

    def look(connection: Connection) -> Job | None:
        earlier = jobs.find_by_key(connection, caller.client_id, key, fingerprint) if key else None
        if gateway.backlog.is_stale:
            gateway.backlog.count(connection)
        return earlier

    earlier = gateway.transact(look) if key or gateway.backlog.is_stale else None
    if earlier is None and gateway.backlog.is_full:
        raise Problem(
            ProblemCode.BACKLOG_FULL, "Too many jobs are waiting; try again later.", headers={"Retry-After": "10"}
        )
    return earlier


def _record(gateway: Resources, new: NewJob, original: _Original | None) -> Acceptance:
    def work(connection: Connection) -> Acceptance:
        acceptance = jobs.accept(connection, new, gateway.settings.jobs)
        if original and acceptance.is_new:
            uploads.use_up(connection, original.upload.id)
        return acceptance

    try:
        return gateway.transact(work)
    except TemporaryError:
        # The commit may have happened all the same, so the document must stay: a job without one would be lost.
        raise
    except Exception:
        _drop_object(gateway, new.document.object_name)
        raise


def _announce(gateway: Resources, new: NewJob, original: _Original | None, acceptance: Acceptance) -> Accepted:
    job = acceptance.job
    if job.id != new.document.id:
        _drop_object(gateway, new.document.object_name)  # another request with the same key was faster
        return Accepted(job, is_replay=True)
    dispatch.send(gateway.publisher, acceptance.messages)
    if original:
        _drop_object(gateway, original.upload.object_name)
    tracing.job_accepted(job.id, model=new.model, priority=new.options.priority, request_id=new.request_id)
    gateway.backlog.note_accepted()
    gateway.metrics.received(new.document.size)
    gateway.metrics.accepted(new.model, new.options.priority)
    return Accepted(job, is_replay=False)


def _drop_object(gateway: Resources, name: str) -> None:
    try:
        gateway.objects.delete(name)
    except TemporaryError as error:
        log.warning("a surplus object stays in the store", object=name, error=error.detail)
