"""jobs of a client by model"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_jobs_client_model", "jobs", ["client_id", "model", "id"])
