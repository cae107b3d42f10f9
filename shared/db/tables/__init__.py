"""Every table. The migrations build exactly these; a test compares the two."""

from shared.db.tables.access import api_keys, audit_lines, clients
from shared.db.tables.columns import metadata
from shared.db.tables.messages import events, outbox
from shared.db.tables.notifications import (
    alerts,
    deliveries,
    delivery_attempts,
    disabled_endpoints,
    incidents,
    subscriptions,
)
from shared.db.tables.operation import backups, model_hours, workers
from shared.db.tables.people import accounts, login_attempts, sessions
from shared.db.tables.review import corrected_results, corrections, review_claims
from shared.db.tables.work import detections, documents, job_pages, jobs, uploads

__all__ = [
    "accounts",
    "alerts",
    "api_keys",
    "audit_lines",
    "backups",
    "clients",
    "corrected_results",
    "corrections",
    "deliveries",
    "delivery_attempts",
    "detections",
    "disabled_endpoints",
    "documents",
    "events",
    "incidents",
    "job_pages",
    "jobs",
    "login_attempts",
    "metadata",
    "model_hours",
    "outbox",
    "review_claims",
    "sessions",
    "subscriptions",
    "uploads",
    "workers",
]
