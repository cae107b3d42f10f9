"""``/jobs/{id}``: one document, what was found on it, and a person's corrections."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import PurePath
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from services.gateway.resources import GatewayDep, Resources
from services.gateway.web import job_view
from services.gateway.web.annotated_pdf import annotated_pdf
from services.gateway.web.rendering import page, redirect
from services.gateway.web.users import PostedForm, ReadUser, SubmitUser
from services.gateway.web.visitors import User
from shared.db import jobs, training
from shared.db.keys import Scope
from shared.domain.errors import ConflictError
from shared.domain.job import Job

router = APIRouter()


@router.get("/jobs/{job_id}")
def show(request: Request, job_id: UUID, gateway: GatewayDep, user: ReadUser) -> Response:
    """The job as it stands: waiting, failed, or examined."""
    job = _job(gateway, user, job_id)
    values = _values(request, job)
    if job.result is None:
        return page(request, "job_open.html", **values, failure=_failure(request, job))
    t = request.state.visit.t
    pages = job_view.pages_data(job.result)
    data = {
        "id": str(job.id),
        "name": values["name"],
        "pages": pages,
        "first": job_view.first_page(pages),
        "canReview": user.may(Scope.REVIEW),
        "texts": job_view.script_texts(t),
    }
    timings = job_view.timing_lines(t, job.result)
    stem = PurePath(values["name"]).stem
    return page(request, "job.html", **values, stem=stem, data=data, timings=timings, original_width=_widest(job))


@router.get("/jobs/{job_id}/summary")
def summary(request: Request, job_id: UUID, gateway: GatewayDep, user: ReadUser) -> Response:
    """The head of the job page alone, shown anew after a correction."""
    return page(request, "job_summary.html", **_values(request, _job(gateway, user, job_id)))


@router.post("/jobs/{job_id}/training-consent")
def change_consent(request: Request, job_id: UUID, gateway: GatewayDep, user: SubmitUser, form: PostedForm) -> Response:
    """Allow training with the document from now on, or take it back."""
    allowed = form.get("allowed") == "yes"
    gateway.transact(lambda c: training.set_consent(c, user.actor, job_id, allowed=allowed))
    return redirect(request, f"/jobs/{job_id}", "flash.consent_changed")


@router.get("/jobs/{job_id}/annotated.pdf")
async def annotated(job_id: UUID, gateway: GatewayDep, user: ReadUser) -> StreamingResponse:
    """The whole document with its boxes, a person's where there are some."""
    job = await run_in_threadpool(_job, gateway, user, job_id)
    if job.result is None:
        raise ConflictError(f"The job is {job.state}; there is nothing to draw on its pages.")
    made = annotated_pdf(gateway, job)
    # What cannot be drawn at all is told as an error, instead of a download that breaks off.
    first = await anext(made)

    async def whole() -> AsyncIterator[bytes]:
        async with aclosing(made):
            yield first
            async for piece in made:
                yield piece

    return StreamingResponse(whole(), media_type="application/pdf", headers={"X-Accel-Buffering": "no"})


def _job(gateway: Resources, user: User, job_id: UUID) -> Job:
    return gateway.transact(lambda connection: jobs.get(connection, user.client_id, job_id, with_result=True))


def _values(request: Request, job: Job) -> dict[str, Any]:
    t = request.state.visit.t
    values: dict[str, Any] = {"job": job, "name": job_view.shown_name(job, t), "requirements": []}
    if job.result:
        decision = job.result.corrected or job.result.decision
        values["requirements"] = job_view.requirement_lines(t, decision, job.options.requirements)
        values["corrected_pages"] = len(job.result.corrections)
    return values


def _failure(request: Request, job: Job) -> str | None:
    return job_view.failure_text(request.state.visit.t, job.failure) if job.failure else None


def _widest(job: Job) -> int:
    """Width of the pictures one takes along: as fine as the pages, within what the API draws."""
    assert job.result is not None
    return max(64, min(4000, max((one.width for one in job.result.pages), default=1240)))
