"""What happened in a stretch of time, over all clients."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from shared.db import alerts, deliveries
from shared.db.statistics import standing_verdict, with_corrections
from shared.db.tables import jobs
from shared.domain.job import JobState
from shared.domain.verdict import Verdict

_OUTCOMES = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


def between(connection: Connection, since: datetime, until: datetime) -> Mapping[str, int]:
    """``accepted``; ``succeeded``, ``failed``, ``canceled``; ``signed``, ``unsigned``, ``review``: jobs of that time.

    Verdicts are those that stand, a person's before the model's.
    ``waiting``, ``dead`` (deliveries) and ``alerts`` (firing) are as of now.
    """
    accepted = select(func.count()).select_from(jobs).where(jobs.c.created_at >= since, jobs.c.created_at < until)
    ended = connection.execute(
        with_corrections(jobs.c.state, standing_verdict().label("verdict"), func.count().label("number"))
        .where(jobs.c.finished_at >= since, jobs.c.finished_at < until)
        .group_by(jobs.c.state, standing_verdict())
    ).all()
    waiting = select(func.count()).select_from(jobs).where(jobs.c.state.in_((JobState.QUEUED, JobState.PROCESSING)))
    return {
        "accepted": connection.execute(accepted).scalar_one(),
        **{state.value: sum(row.number for row in ended if row.state == state) for state in _OUTCOMES},
        **{verdict.value: sum(row.number for row in ended if row.verdict == verdict) for verdict in Verdict},
        "waiting": connection.execute(waiting).scalar_one(),
        "dead": sum(deliveries.dead(connection).values()),
        "alerts": alerts.firing(connection),
    }
