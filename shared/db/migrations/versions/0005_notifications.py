"""subscriptions, two webhook secrets, mail and notices among the deliveries, incidents, alerts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("clients", sa.Column("previous_webhook_secret", sa.Text(), nullable=True))
    op.add_column("clients", _moment("previous_secret_until", nullable=True))
    _extend_deliveries()
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        sa.CheckConstraint("(channel = 'email') = (url like 'mailto:%')", name=op.f("ck_subscriptions_channel")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_subscriptions_client_id_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("client_id", "url", name=op.f("uq_subscriptions_client_id_url")),
    )
    _create_incidents()
    _create_alerts()


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> "sa.Column[object]":
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _extend_deliveries() -> None:
    for column in ("event_id", "client_id", "job_id"):
        op.alter_column("deliveries", column, nullable=True)
    op.add_column("deliveries", sa.Column("notice", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("deliveries", sa.Column("channel", sa.Text(), server_default=sa.text("'webhook'"), nullable=False))
    op.add_column("deliveries", sa.Column("subscription_id", sa.Uuid(), nullable=True))
    op.add_column("deliveries", sa.Column("language", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_deliveries_message"),
        "deliveries",
        "(notice is null) = (event_id is not null) and (notice is null) = (client_id is not null)",
    )
    op.create_index(
        "ix_deliveries_dead",
        "deliveries",
        ["client_id", "id"],
        postgresql_where=sa.text("state in ('failed', 'disabled')"),
    )
    op.create_index("ix_deliveries_client", "deliveries", ["client_id", "id"])
    op.create_index(
        "ix_deliveries_subscription",
        "deliveries",
        ["subscription_id"],
        postgresql_where=sa.text("state = 'pending' and subscription_id is not null"),
    )


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        _moment("raised_at", now=True),
        _moment("resolved_at", nullable=True),
        _moment("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        "ix_incidents_open",
        "incidents",
        ["kind", "code", "raised_at"],
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_index("ix_incidents_raised", "incidents", ["kind", "code", "raised_at"])


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("annotations", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _moment("starts_at"),
        _moment("ends_at", nullable=True),
        _moment("received_at", now=True),
        sa.CheckConstraint("state in ('firing', 'resolved')", name=op.f("ck_alerts_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("fingerprint", "starts_at", name=op.f("uq_alerts_fingerprint_starts_at")),
    )
    op.create_index("ix_alerts_firing", "alerts", ["id"], postgresql_where=sa.text("state = 'firing'"))


def downgrade() -> None:
    op.drop_table("alerts")
    op.drop_table("incidents")
    op.drop_table("subscriptions")
    op.execute("delete from deliveries where event_id is null")
    op.execute("delete from deliveries where channel <> 'webhook'")
    for index in ("ix_deliveries_subscription", "ix_deliveries_client", "ix_deliveries_dead"):
        op.drop_index(index, table_name="deliveries")
    op.drop_constraint(op.f("ck_deliveries_message"), "deliveries")
    for column in ("language", "subscription_id", "channel", "notice"):
        op.drop_column("deliveries", column)
    for column in ("event_id", "client_id", "job_id"):
        op.alter_column("deliveries", column, nullable=False)
    for column in ("previous_secret_until", "previous_webhook_secret"):
        op.drop_column("clients", column)
