"""What is known of the system itself: its workers, how its models do, its backups."""

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Index, Integer, Table, Text, Uuid

from shared.db.tables.columns import id_column, metadata, moment

# Detector workers, as each writes of itself with every heartbeat; no foreign keys, for nothing hangs on them.
workers = Table(
    "workers",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("jobs", ARRAY(Uuid), nullable=False),
    moment("started_at", now=True),
    moment("seen_at", now=True),
)

# One line an hour in which a model version had results. Small, and never erased: drift is seen against the weeks
# before, also where jobs stay for days only.
model_hours = Table(
    "model_hours",
    metadata,
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("pages", Integer, nullable=False),
    # Pages that people changed within the hour, whenever they were examined.
    Column("changed_pages", Integer, nullable=False),
    # Signatures found, by tenths of confidence.
    Column("confidences", ARRAY(Integer), nullable=False),
    Index("ix_model_hours_hour", "hour"),
)

# Backups that were made, written once each is whole: `made_at` is the moment it holds.
backups = Table(
    "backups",
    metadata,
    id_column(),
    moment("made_at"),
    moment("finished_at", now=True),
    Column("jobs", BigInteger, nullable=False),
    Column("objects", BigInteger, nullable=False),
    # Of the dump and the listing; the objects themselves are not in a backup.
    Column("bytes", BigInteger, nullable=False),
)
