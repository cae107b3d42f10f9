"""What was examined: filtered, searched, paged, exported."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.resources import GatewayDep, Resources
from services.gateway.web.history_query import FIELDS, OUTCOMES, HistoryQuery, read_query
from services.gateway.web.query import cursor
from services.gateway.web.rendering import page
from services.gateway.web.spreadsheets import csv_answer
from services.gateway.web.users import ReadUser
from services.gateway.web.visitors import User
from shared.db import accounts, audit, job_lists
from shared.db.audit import Action
from shared.domain.detection import Tone
from shared.domain.job import Job

router = APIRouter()

_PAGE = 50
_EXPORT_PAGE = 500
_EXPORT_MOST = 100_000
_COLUMNS = (
    "id file state verdict signatures corrected_verdict corrected_signatures tone model submitted_at finished_at "
    "submitted_by error bytes"
)


@router.get("/history")
def show(request: Request, gateway: GatewayDep, user: ReadUser) -> Response:
    """The list, newest first."""
    query = read_query(request.query_params, user)
    before, after = cursor(request.query_params.get("before", "")), cursor(request.query_params.get("after", ""))

    def look(connection: Connection) -> dict[str, Any]:
        found = job_lists.page(connection, user.client_id, query.which, before=before, after=after, limit=_PAGE)
        models = job_lists.models(connection, user.client_id)
        return {"found": found, "models": models, **_beside(connection, user, found.jobs)}

    values = gateway.transact(look)
    jobs = values["found"].jobs
    newer = query.address("/history", after=jobs[0].id) if jobs and values["found"].has_newer else None
    older = query.address("/history", before=jobs[-1].id) if jobs and values["found"].has_older else None
    return page(
        request,
        "history.html",
        query=query,
        form={name: query.values.get(name, "") for name in FIELDS},
        outcomes=OUTCOMES,
        tones=list(Tone),
        newer=newer,
        older=older,
        export=query.address("/history.csv"),
        **values,
    )


def _beside(connection: Connection, user: User, found: Sequence[Job]) -> dict[str, Any]:
    """What lists show beside the jobs: people's corrections and addresses."""
    people = {job.account_id for job in found if job.account_id}
    return {
        "corrected": job_lists.corrected(connection, [job.id for job in found]),
        "emails": accounts.emails(connection, user.client_id, list(people)),
    }


@router.get("/history.csv")
def export(request: Request, gateway: GatewayDep, user: ReadUser) -> Response:
    """The same jobs as a spreadsheet, up to a hundred thousand. Who took it is on record."""
    query = read_query(request.query_params, user)
    values = dict(query.values)
    gateway.transact(lambda c: audit.write(c, user.actor, Action.HISTORY_EXPORTED, "history", query=values))
    return csv_answer("paraphe-history.csv", _rows(gateway, user, query))


def _rows(gateway: Resources, user: User, query: HistoryQuery) -> Iterator[list[Any]]:
    yield _COLUMNS.split()
    before: UUID | None = None
    for _ in range(_EXPORT_MOST // _EXPORT_PAGE):
        found, beside = _export_page(gateway, user, query, before)
        for job in found:
            yield _row(job, beside["corrected"].get(job.id, ("", "")), beside["emails"])
        if len(found) < _EXPORT_PAGE:
            return
        before = found[-1].id


def _export_page(
    gateway: Resources, user: User, query: HistoryQuery, before: UUID | None
) -> tuple[list[Job], dict[str, Any]]:
    def look(connection: Connection) -> tuple[list[Job], dict[str, Any]]:
        found = job_lists.newest(connection, user.client_id, query.which, before=before, limit=_EXPORT_PAGE)
        return found, _beside(connection, user, found)

    return gateway.transact(look)


def _row(job: Job, corrected: tuple[Any, Any], emails: dict[UUID, str]) -> list[Any]:
    return [
        str(job.id),
        job.document.filename or "",
        job.state.value,
        job.verdict or "",
        "" if job.signature_count is None else job.signature_count,
        *corrected,
        job.tone or "",
        job.options.model,
        job.created_at.isoformat(),
        job.finished_at.isoformat() if job.finished_at else "",
        emails.get(job.account_id, "") if job.account_id else "",
        job.failure.code if job.failure else "",
        job.document.size,
    ]
