"""The state of the system and what failed in it."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.resources import GatewayDep, Resources
from services.gateway.routes.health import probe_parts
from services.gateway.web.query import cursor
from services.gateway.web.rendering import page, redirect
from services.gateway.web.users import AdminUser, PostedForm
from services.gateway.web.visitors import User
from shared import dispatch
from shared.db import alerts, audit, deliveries, job_lists, jobs, operation, workers
from shared.db.audit import Action
from shared.db.job_lists import JobFilter
from shared.db.operation import Operation
from shared.db.outbox import Message
from shared.domain.delivery import DeliveryState
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.job import JobState

router = APIRouter()

_FAILED = JobFilter(states=[JobState.FAILED])
_PAGE = 50
_ALERTS = 10
_UNDELIVERED = 20
_REPLAYED_AT_ONCE = 500
# Nobody waits as long as this while the part that should do something is at work.
_SILENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the system. ``state`` is ok, idle (nothing to tell by), slow or away."""

    name: str
    state: str


@router.get("/admin")
async def show(request: Request, gateway: GatewayDep, user: AdminUser) -> Response:
    """Health, backlog, failed jobs."""
    before = cursor(request.query_params.get("before", ""))
    probes, values = await asyncio.gather(
        probe_parts(gateway), run_in_threadpool(gateway.transact, lambda c: _look(c, user, before))
    )
    failed, lease_s = values["failed"], gateway.settings.jobs.lease_s
    alive = sum(one.silent_s < lease_s for one in values["workers"])
    return page(
        request,
        "admin_health.html",
        parts=_parts(probes, values["state"], alive),
        lease_s=lease_s,
        older=f"/admin?before={failed.jobs[-1].id}" if failed.jobs and failed.has_older else None,
        limit=gateway.settings.gateway.backlog_limit,
        retention_days=gateway.settings.retention.days,
        **values,
    )


def _look(connection: Connection, user: User, before: UUID | None) -> dict[str, Any]:
    found = job_lists.page(connection, user.client_id, _FAILED, before=before, limit=_PAGE)
    recent = [alert for _, alert in alerts.newest(connection, limit=_ALERTS)]
    at_work = workers.known(connection)
    held = [job_id for one in at_work for job_id in one.report.job_ids]
    names = {job.id: job for job in job_lists.some(connection, user.client_id, held)} if held else {}
    return {
        "state": operation.look(connection),
        "failed": found,
        "alerts": recent,
        "undelivered": deliveries.newest(connection, user.client_id, [DeliveryState.FAILED], limit=_UNDELIVERED),
        "workers": at_work,
        "held_jobs": names,
    }


def _parts(probes: dict[str, str], state: Operation, alive: int) -> list[Part]:
    """The servers and the workers answer for themselves; our other services are judged by what they leave undone."""
    servers = [Part(name, "ok" if answer == "ok" else "away") for name, answer in probes.items()]
    falls_behind = state.backlog.oldest_queued_s > _SILENCE_S
    notifier = "away" if state.oldest_unrecorded_s > _SILENCE_S else "ok" if state.finished else "idle"
    return [
        Part("gateway", "ok"),
        *servers,
        Part("detector", ("slow" if falls_behind else "ok") if alive else "away"),
        Part("notifier", notifier),
        Part("reconciler", "ok" if state.reconciler_leads else "away"),
    ]


@router.post("/admin/jobs/{job_id}/replay")
def replay(request: Request, job_id: UUID, gateway: GatewayDep, user: AdminUser, _: PostedForm) -> Response:
    """Try one failed job again."""
    _replay(gateway, user, [job_id])
    return redirect(request, "/admin", "flash.replayed")


@router.post("/admin/replay")
def replay_all(request: Request, gateway: GatewayDep, user: AdminUser, _: PostedForm) -> Response:
    """Try the newest failed jobs again, up to a number that a click may answer for."""
    found = gateway.transact(
        lambda connection: job_lists.newest(connection, user.client_id, _FAILED, limit=_REPLAYED_AT_ONCE)
    )
    _replay(gateway, user, [job.id for job in found])
    return redirect(request, "/admin", "flash.replayed")


def _replay(gateway: Resources, user: User, job_ids: list[UUID]) -> None:
    """Each in its own transaction; one that somebody replayed or erased meanwhile is fine when there are several."""

    def work(job_id: UUID, connection: Connection) -> list[Message]:
        messages = jobs.replay(connection, user.client_id, job_id, gateway.settings.jobs)
        audit.write(connection, user.actor, Action.JOB_REPLAYED, job_id)
        return messages

    messages: list[Message] = []
    for job_id in job_ids:
        try:
            messages += gateway.transact(partial(work, job_id))
        except (ConflictError, NotFoundError):
            if len(job_ids) == 1:
                raise
    # All at once: a broker that hangs is waited for once, not once a job. What is not sent, the outbox keeps.
    dispatch.send(gateway.publisher, messages)


@router.post("/admin/deliveries/{delivery_id}/replay")
def replay_delivery(
    request: Request, delivery_id: UUID, gateway: GatewayDep, user: AdminUser, _: PostedForm
) -> Response:
    """Send a notification that did not arrive once more."""

    def work(connection: Connection) -> None:
        deliveries.replay(connection, user.client_id, delivery_id)
        audit.write(connection, user.actor, Action.DELIVERY_REPLAYED, delivery_id)

    gateway.transact(work)
    return redirect(request, "/admin", "flash.replayed")
