"""How much was examined, with what outcome, how fast, and what people corrected."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.resources import GatewayDep
from services.gateway.web.charts import stacked_bars
from services.gateway.web.rendering import page
from services.gateway.web.spreadsheets import Row, csv_answer
from services.gateway.web.users import ReadUser
from services.gateway.web.visitors import User
from shared.db import accounts, statistics
from shared.db.accounts import Role
from shared.db.job_lists import JobFilter
from shared.db.statistics import Counts

router = APIRouter()

PERIODS = (7, 30, 90, 365)
_KINDS = ("signed", "review", "unsigned", "failed")
_COLUMNS = ("day", "scans", *_KINDS, "signed_share", "corrections", "median_s", "p95_s")


@router.get("/statistics")
def show(request: Request, gateway: GatewayDep, user: ReadUser) -> Response:
    """Charts with their numbers. Who is named in them only those see who answer for others."""
    days, whose, which = _read(request.query_params, user)

    def look(connection: Connection) -> dict[str, Any]:
        return {
            "total": statistics.over_all(connection, user.client_id, which),
            "by_day": statistics.by_day(connection, user.client_id, which),
            "people": _people(connection, user, which) if whose == "all" else [],
        }

    values = gateway.transact(look)
    lines = list(values["by_day"].values())
    return page(
        request,
        "statistics.html",
        days=days,
        whose=whose,
        periods=PERIODS,
        outcomes=stacked_bars(_KINDS, [[getattr(line, kind) for kind in _KINDS] for line in lines]),
        times=stacked_bars(("time",), [[line.median_s or 0.0] for line in lines]),
        kinds=_KINDS,
        export=f"/statistics.csv?days={days}&whose={whose}",
        **values,
    )


@router.get("/statistics.csv")
def export(request: Request, gateway: GatewayDep, user: ReadUser) -> Response:
    """The numbers by day as a spreadsheet."""
    days, _, which = _read(request.query_params, user)
    lines = gateway.transact(lambda connection: statistics.by_day(connection, user.client_id, which))
    return csv_answer(f"paraphe-statistics-{days}-days.csv", _COLUMNS, _rows(lines))


def _read(parameters: Mapping[str, str], user: User) -> tuple[int, str, JobFilter]:
    """Period in days, whose jobs, and the filter they amount to; up to and with today."""
    text = parameters.get("days", "")
    days = int(text) if text in [str(period) for period in PERIODS] else 30
    whose = "mine" if parameters.get("whose") == "mine" else "all"
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    account_id = user.account_id if whose == "mine" else None
    return (
        days,
        whose,
        JobFilter(created_from=tomorrow - timedelta(days=days), created_until=tomorrow, account_id=account_id),
    )


def _people(connection: Connection, user: User, which: JobFilter) -> list[tuple[str | None, Counts]]:
    """By address, most scans first; None is what came with keys."""
    if user.role is Role.OPERATOR:
        return []
    found = statistics.by_person(connection, user.client_id, which)
    emails = accounts.emails(connection, user.client_id, [who for who in found if who])
    merged: list[tuple[str | None, Counts]] = [
        (_name(who, emails), counts) for who, counts in found.items() if who is None or who in emails
    ]
    return sorted(merged, key=lambda line: -line[1].scans)


def _name(who: UUID | None, emails: Mapping[UUID, str]) -> str | None:
    return emails[who] if who else None


def _rows(lines: Mapping[Any, Counts]) -> Iterator[Row]:
    for day, line in lines.items():
        share = "" if line.signed_share is None else round(line.signed_share, 4)
        times = ["" if value is None else round(value, 3) for value in (line.median_s, line.p95_s)]
        yield [day.isoformat(), line.scans, *(getattr(line, kind) for kind in _KINDS), share, line.corrections, *times]
