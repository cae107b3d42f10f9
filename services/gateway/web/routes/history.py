"""What was examined: filtered, searched, paged, exported."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.resources import GatewayDep
from services.gateway.web.history_query import FIELDS, OUTCOMES, read_query
from services.gateway.web.query import cursor
from services.gateway.web.rendering import page
from services.gateway.web.spreadsheets import Row, csv_answer, paged_rows
from services.gateway.web.users import ReadUser
from services.gateway.web.visitors import User
from shared.db import accounts, audit, job_lists
from shared.db.audit import Action
from shared.domain.detection import Tone
from shared.domain.job import Job

router = APIRouter()

_PAGE = 50
_COLUMNS = (
    *("id", "file", "state", "verdict", "signatures", "corrected_verdict", "corrected_signatures", "tone", "model"),
    *("submitted_at", "finished_at", "submitted_by", "error", "bytes"),
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

    def read(before: UUID | None, limit: int) -> list[tuple[UUID, Row]]:
        def look(connection: Connection) -> tuple[list[Job], dict[str, Any]]:
            found = job_lists.newest(connection, user.client_id, query.which, before=before, limit=limit)
            return found, _beside(connection, user, found)

        found, beside = gateway.transact(look)
        return [(job.id, _row(job, beside["corrected"].get(job.id, ("", "")), beside["emails"])) for job in found]

    return csv_answer("paraphe-history.csv", _COLUMNS, paged_rows(read))


def _row(job: Job, corrected: tuple[Any, Any], emails: dict[UUID, str]) -> list[Any]:
    return [
        str(job.id),
        job.document.filename or "",
        job.state.value,
        job.verdict or "",
        "" if job.signature_count is None else job.signature_count,
        *corrected,
        job.tone or "",
        job.model,
        job.created_at.isoformat(),
        job.finished_at.isoformat() if job.finished_at else "",
        emails.get(job.account_id, "") if job.account_id else "",
        job.failure.code if job.failure else "",
        job.document.size,
    ]
