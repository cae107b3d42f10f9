"""Results by model version and hour, summed up once each hour is over: bounded work, whatever the archive's size."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, Connection, Integer, Subquery, Text, cast, func, select
from sqlalchemy.dialects.postgresql import array, insert

from shared.db.tables import detections, events, model_hours
from shared.domain.correction_changes import Change
from shared.domain.detection import Kind
from shared.domain.drift import CONFIDENCE_BINS
from shared.domain.events import EventKind
from shared.domain.ids import first_id_at, moment_of

_HOUR = timedelta(hours=1)
# An id is made a little before its row is committed; after this much nothing is added to an hour.
_SETTLED_AFTER = timedelta(minutes=5)
_LOOK_BACK = timedelta(days=36)
_CHANGING = [change.value for change in Change if change is not Change.CONFIRMED]
_COUNTED = (EventKind.JOB_SUCCEEDED, EventKind.JOB_CORRECTED)


@dataclass(frozen=True, slots=True)
class ModelSum:
    """What a model version did in a stretch of time. ``confidences``: signatures found, by tenths."""

    pages: int
    changed_pages: int
    confidences: tuple[int, ...]


def sum_up_next(connection: Connection, now: datetime) -> datetime | None:
    """Sum up the oldest hour that is over and not yet summed up; returns its beginning, None when there is none."""
    last = connection.execute(select(func.max(model_hours.c.hour))).scalar_one()
    since = max(last + _HOUR if last else now - _LOOK_BACK, now - _LOOK_BACK)
    first = connection.execute(
        select(events.c.id)
        .where(events.c.id >= first_id_at(since), events.c.kind.in_(_COUNTED), events.c.data.has_key("model"))
        .order_by(events.c.id)
        .limit(1)
    ).scalar_one_or_none()
    if first is None:
        return None
    hour = moment_of(first).replace(minute=0, second=0, microsecond=0)
    if hour + _HOUR + _SETTLED_AFTER > now:
        return None
    _sum_up(connection, hour)
    return hour


def between(connection: Connection, since: datetime, until: datetime) -> dict[tuple[str, str], ModelSum]:
    """The hours that began in that time, added up, by (model, version)."""
    rows = connection.execute(
        select(
            model_hours.c.model,
            model_hours.c.version,
            func.sum(model_hours.c.pages).label("pages"),
            func.sum(model_hours.c.changed_pages).label("changed"),
            *(func.sum(model_hours.c.confidences[bin_ + 1]).label(f"bin{bin_}") for bin_ in range(CONFIDENCE_BINS)),
        )
        .where(model_hours.c.hour >= since, model_hours.c.hour < until)
        .group_by(model_hours.c.model, model_hours.c.version)
    )
    return {
        (row.model, row.version): ModelSum(row.pages, row.changed, tuple(row[4 : 4 + CONFIDENCE_BINS])) for row in rows
    }


def _sum_up(connection: Connection, hour: datetime) -> None:
    """Write the lines of one hour. Safe to repeat: a line that is there stays."""
    told = _told_in(hour)
    pages, changed = _pages(connection, told), _changed_pages(connection, told)
    confidences = _confidences(connection, told)
    rows = [
        {
            "model": name,
            "version": version,
            "hour": hour,
            "pages": pages.get(model, 0),
            "changed_pages": changed.get(model, 0),
            "confidences": confidences.get(model, [0] * CONFIDENCE_BINS),
        }
        for model in sorted({*pages, *changed})
        for name, _, version in [model.rpartition("@")]
    ]
    connection.execute(insert(model_hours).on_conflict_do_nothing(), rows)


def _told_in(hour: datetime) -> Subquery:
    """The hour's results and corrections. Ids sort by time, so the primary key finds them."""
    return (
        select(events.c.kind, events.c.job_id, events.c.data, events.c.data["model"].astext.label("model"))
        .where(
            events.c.id >= first_id_at(hour),
            events.c.id < first_id_at(hour + _HOUR),
            events.c.kind.in_(_COUNTED),
            events.c.data.has_key("model"),
        )
        .subquery("told")
    )


def _pages(connection: Connection, told: Subquery) -> dict[str, int]:
    pages = func.sum(cast(told.c.data["pages"].astext, Integer))
    is_result = told.c.kind == EventKind.JOB_SUCCEEDED
    rows = connection.execute(select(told.c.model, pages.label("number")).where(is_result).group_by(told.c.model))
    return {row.model: row.number for row in rows}


def _changed_pages(connection: Connection, told: Subquery) -> dict[str, int]:
    """Pages corrected otherwise than by confirming; also models without any, so that their hour is done with."""
    page = func.concat(told.c.job_id, " ", told.c.data["page"].astext)
    is_change = told.c.data["changes"].has_any(cast(array(_CHANGING), ARRAY(Text)))
    is_correction = told.c.kind == EventKind.JOB_CORRECTED
    number = func.count(page.distinct()).filter(is_change).label("number")
    rows = connection.execute(select(told.c.model, number).where(is_correction).group_by(told.c.model))
    return {row.model: row.number for row in rows}


def _confidences(connection: Connection, told: Subquery) -> dict[str, list[int]]:
    tenth = func.least(func.floor(detections.c.confidence * CONFIDENCE_BINS), CONFIDENCE_BINS - 1).label("tenth")
    rows = connection.execute(
        select(told.c.model, cast(tenth, Integer).label("tenth"), func.count().label("number"))
        .join_from(told, detections, detections.c.job_id == told.c.job_id)
        .where(told.c.kind == EventKind.JOB_SUCCEEDED, detections.c.kind == Kind.SIGNATURE)
        .group_by(told.c.model, tenth)
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.model, [0] * CONFIDENCE_BINS)[row.tenth] = row.number
    return found
