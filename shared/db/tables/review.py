"""What people say of pages beside the model, and who looks at which page right now."""

from sqlalchemy import Boolean, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables.columns import metadata, moment

corrections = Table(
    "corrections",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("page_number", Integer, primary_key=True),
    # Saving again adds a version; the highest is in force, and the key refuses two of the same number.
    Column("version", Integer, primary_key=True),
    # No foreign key: an account or a key may be deleted, and what its owner did stays.
    Column("author_id", Uuid, nullable=False),
    Column("author_name", Text, nullable=False),
    moment("saved_at", now=True),
    Column("boxes", JSONB, nullable=False),
    Column("no_signature", Boolean, nullable=False),
    ForeignKeyConstraint(["job_id", "page_number"], ["job_pages.job_id", "job_pages.number"], ondelete="CASCADE"),
    Index("ix_corrections_author", "author_id", "saved_at"),
)

corrected_results = Table(
    "corrected_results",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("signature_count", Integer, nullable=False),
    Column("requirement_outcomes", JSONB, nullable=False),
    moment("corrected_at", now=True),
)

review_claims = Table(
    "review_claims",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("page_number", Integer, primary_key=True),
    Column("holder", Uuid, nullable=False),
    moment("expires_at"),
    ForeignKeyConstraint(["job_id", "page_number"], ["job_pages.job_id", "job_pages.number"], ondelete="CASCADE"),
    Index("ix_review_claims_holder", "holder"),
)
