"""What all tables are made with: their common metadata, and the columns that recur."""

from sqlalchemy import Column, DateTime, MetaData, Uuid, func

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> "Column[object]":
    """The primary key: a ``shared.domain.ids.new_id``."""
    return Column("id", Uuid, primary_key=True)


def moment(name: str, *, nullable: bool = False, now: bool = False) -> "Column[object]":
    """A point in time; with ``now`` it is the transaction's unless the row says otherwise."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)
