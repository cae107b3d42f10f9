"""colour, grey or bilevel of jobs and pages; the workers that are alive"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TONES = "tone in ('bilevel', 'grey', 'colour')"


def upgrade() -> None:
    # Null on rows written before: their documents were not measured.
    for table in ("jobs", "job_pages"):
        op.add_column(table, sa.Column("tone", sa.Text(), nullable=True))
        op.create_check_constraint(op.f(f"ck_{table}_tone"), table, _TONES)
    op.create_index("ix_jobs_client_tone", "jobs", ["client_id", "tone", "id"])
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("jobs", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )


def downgrade() -> None:
    op.drop_table("workers")
    op.drop_index("ix_jobs_client_tone", table_name="jobs")
    for table in ("jobs", "job_pages"):
        op.drop_column(table, "tone")
