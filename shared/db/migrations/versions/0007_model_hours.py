"""what each model version found, hour by hour"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "model_hours",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("changed_pages", sa.Integer(), nullable=False),
        sa.Column("confidences", sa.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "hour", name=op.f("pk_model_hours")),
    )
    op.create_index("ix_model_hours_hour", "model_hours", ["hour"])


def downgrade() -> None:
    op.drop_table("model_hours")
