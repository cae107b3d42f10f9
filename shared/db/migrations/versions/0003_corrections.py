"""What people say of pages beside the model, and who looks at which page right now."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_corrections()
    op.create_table(
        "corrected_results",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("signature_count", sa.Integer(), nullable=False),
        sa.Column("requirement_outcomes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_corrected_results_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_corrected_results")),
    )
    op.create_table(
        "review_claims",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _page_reference("review_claims"),
        sa.PrimaryKeyConstraint("job_id", "page_number", name=op.f("pk_review_claims")),
    )
    op.create_index("ix_review_claims_holder", "review_claims", ["holder"])
    op.create_index("ix_jobs_review", "jobs", ["client_id", "id"], postgresql_where=sa.text("verdict = 'review'"))


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("boxes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("no_signature", sa.Boolean(), nullable=False),
        _page_reference("corrections"),
        sa.PrimaryKeyConstraint("job_id", "page_number", "version", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_author", "corrections", ["author_id", "saved_at"])


def _page_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["job_id", "page_number"],
        ["job_pages.job_id", "job_pages.number"],
        name=op.f(f"fk_{table}_job_id_page_number_job_pages"),
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_review", table_name="jobs", postgresql_where=sa.text("verdict = 'review'"))
    op.drop_table("review_claims")
    op.drop_table("corrected_results")
    op.drop_index("ix_corrections_author", table_name="corrections")
    op.drop_table("corrections")
