"""The review queue: which pages need a person, and who is looking at which of them right now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import clients, corrected_results, corrections, detections, jobs, review_claims
from shared.domain.detection import Kind
from shared.domain.verdict import Verdict

PageOfJob = tuple[UUID, int]
# Nearest-first over the oldest so many jobs: asking stays quick however many wait.
_JOBS_CONSIDERED = 1000


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page that hangs on a person. ``unsure``: ids of its detections that are short of counting, surest first;
    ``confidence`` is the first's."""

    job_id: UUID
    page_number: int
    confidence: float
    unsure: tuple[str, ...]
    claimed_until: datetime


def take(
    connection: Connection,
    client_id: UUID,
    holder: UUID,
    *,
    count: int,
    skip: Collection[PageOfJob] = (),
    claim_s: float,
) -> list[ReviewPage]:
    """At most ``count`` pages for this reviewer, those nearest the threshold first.

    Pages the reviewer holds already come first and are held on; nobody else gets them for ``claim_s``. Pages to
    ``skip`` are let go and not served.
    """
    # One at a time for each client: two reviewers who ask at once must not be served the same page.
    connection.execute(select(clients.c.id).where(clients.c.id == client_id).with_for_update(key_share=True))
    if skip:
        release(connection, holder, skip)
    pages = _waiting(client_id, _JOBS_CONSIDERED).subquery("waiting")
    is_free, is_mine = _free_for(holder), _held_by(holder)
    wanted = (
        select(pages)
        .outerjoin_from(pages, review_claims, _claim_on(pages))
        .where(is_free)
        .order_by(func.coalesce(is_mine, False).desc(), pages.c.confidence.desc(), pages.c.job_id, pages.c.page_number)
        .limit(count)
    )
    if skip:
        wanted = wanted.where(tuple_(pages.c.job_id, pages.c.page_number).not_in(list(skip)))
    rows = _not_erased(connection, connection.execute(wanted).all())
    until = _claim(connection, holder, [(row.job_id, row.page_number) for row in rows], claim_s)
    return [
        ReviewPage(row.job_id, row.page_number, row.confidence, tuple(row.unsure), until[row.job_id, row.page_number])
        for row in rows
    ]


def waiting(connection: Connection, client_id: UUID) -> int:
    """How many pages of this client need a person, those being looked at included."""
    return connection.execute(
        select(func.count()).select_from(_waiting(client_id, most_jobs=None).subquery())
    ).scalar_one()


def release(connection: Connection, holder: UUID, pages: Collection[PageOfJob]) -> None:
    """Let go of these pages, so that others may be served them at once."""
    connection.execute(
        delete(review_claims).where(
            review_claims.c.holder == holder,
            tuple_(review_claims.c.job_id, review_claims.c.page_number).in_(list(pages)),
        )
    )


def _not_erased(connection: Connection, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Those whose job is still there; none of them can be erased until the transaction ends."""
    there = connection.execute(
        select(jobs.c.id)
        .where(jobs.c.id.in_([row.job_id for row in rows]))
        .order_by(jobs.c.id)
        .with_for_update(read=True, key_share=True)
    )
    ids = set(there.scalars())
    return [row for row in rows if row.job_id in ids]


def _claim(
    connection: Connection, holder: UUID, pages: Sequence[PageOfJob], claim_s: float
) -> dict[PageOfJob, datetime]:
    if not pages:
        return {}
    until = func.now() + timedelta(seconds=claim_s)
    claimed = connection.execute(
        upsert(review_claims)
        .values(
            [
                {"job_id": job_id, "page_number": number, "holder": holder, "expires_at": until}
                for job_id, number in pages
            ]
        )
        .on_conflict_do_update(index_elements=["job_id", "page_number"], set_={"holder": holder, "expires_at": until})
        .returning(review_claims)
    )
    return {(row.job_id, row.page_number): row.expires_at for row in claimed}


def _claim_on(pages: Any) -> ColumnElement[bool]:
    return and_(review_claims.c.job_id == pages.c.job_id, review_claims.c.page_number == pages.c.page_number)


def _held_by(holder: UUID) -> ColumnElement[bool]:
    return review_claims.c.holder == holder


def _free_for(holder: UUID) -> ColumnElement[bool]:
    return or_(review_claims.c.job_id.is_(None), _held_by(holder), review_claims.c.expires_at < func.now())


def _waiting(client_id: UUID, most_jobs: int | None) -> Select[Any]:
    """Uncorrected pages of undecided jobs with a signature that is neither sure nor too weak."""
    ranked = _ranked(_undecided(client_id, most_jobs))
    is_unsure = and_(ranked.c.place > ranked.c.sure, ranked.c.place <= ranked.c.possible)
    is_corrected = and_(corrections.c.job_id == ranked.c.job_id, corrections.c.page_number == ranked.c.page_number)
    return (
        select(
            ranked.c.job_id,
            ranked.c.page_number,
            func.max(ranked.c.confidence).label("confidence"),
            func.array_agg(aggregate_order_by(ranked.c.id, ranked.c.place)).label("unsure"),
        )
        .where(is_unsure, ~select(literal(1)).where(is_corrected).exists())
        .group_by(ranked.c.job_id, ranked.c.page_number)
    )


def _undecided(client_id: UUID, most_jobs: int | None) -> CTE:
    total = jobs.c.requirement_outcomes[0]
    return (
        select(
            jobs.c.id,
            jobs.c.signature_count.label("sure"),
            cast(total["found_with_review"].astext, Integer).label("possible"),
        )
        .outerjoin_from(jobs, corrected_results, corrected_results.c.job_id == jobs.c.id)
        .where(
            jobs.c.client_id == client_id,
            # Written out, so that the index made for it is used.
            jobs.c.verdict == literal(Verdict.REVIEW.value, literal_execute=True),
            func.coalesce(corrected_results.c.verdict, Verdict.REVIEW.value) == Verdict.REVIEW.value,
        )
        .order_by(jobs.c.id)
        .limit(most_jobs)
        .cte("undecided")
    )


def _ranked(undecided: CTE) -> CTE:
    """Every signature of these jobs with its place from the surest on: the counts kept say which were unsure."""
    place = func.row_number().over(partition_by=detections.c.job_id, order_by=detections.c.confidence.desc())
    return (
        select(
            detections.c.job_id,
            detections.c.id,
            detections.c.page_number,
            detections.c.confidence,
            place.label("place"),
            undecided.c.sure,
            undecided.c.possible,
        )
        .join_from(detections, undecided, undecided.c.id == detections.c.job_id)
        .where(detections.c.kind == Kind.SIGNATURE.value)
        .cte("ranked")
    )
