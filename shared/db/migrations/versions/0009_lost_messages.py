"""messages of jobs that stayed queued for ever, and an index that served nothing

Up to a mend in November 2026 a repeated message could delete the outbox row of a job that had just been queued again.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # Locked: a worker that takes one of these now deletes its message, written here or not, and none is left behind.
    op.execute(
        """
        insert into outbox (topic, subject, priority, sends, send_after)
        select 'job', id, priority, 0, now() from jobs
        where state = 'queued'
            and not exists (select from outbox where topic = 'job' and subject = jobs.id)
        for update
        on conflict (topic, subject) do nothing
        """
    )
    op.drop_index("ix_incidents_raised", table_name="incidents")


def downgrade() -> None:
    op.create_index("ix_incidents_raised", "incidents", ["kind", "code", "raised_at"])
