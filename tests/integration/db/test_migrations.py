"""The migrations build exactly what ``shared.db.tables`` says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, create_engine, delete, inspect, select, text
from sqlalchemy.pool import NullPool

from shared.db.migrate import alembic_config, migrate
from shared.db.tables import metadata, outbox
from tests.integration.db.stories import Stories


@pytest.fixture
def empty_database(engine: Engine) -> Iterator[Engine]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("drop database if exists empty"))
        connection.execute(text("create database empty"))
    fresh = create_engine(engine.url.set(database="empty"), poolclass=NullPool)
    yield fresh
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("drop database empty with (force)"))


def test_migrations_build_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_build_the_same_checks(engine: Engine) -> None:
    """Alembic's comparison knows nothing of check constraints."""
    found = inspect(engine)
    for table in metadata.sorted_tables:
        named = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        assert {one["name"] for one in found.get_check_constraints(table.name)} == named


def test_several_services_may_migrate_an_empty_database_at_once(empty_database: Engine) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [empty_database] * 3))
    assert set(inspect(empty_database).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_jobs_that_lost_their_message_in_an_earlier_version_are_sent_after_an_upgrade(empty_database: Engine) -> None:
    migrate(empty_database)
    stories = Stories(empty_database)
    stories.succeeded()
    stuck = stories.accept()
    with empty_database.begin() as connection:
        command.downgrade(alembic_config(connection), "0008")
        connection.execute(delete(outbox))
    waiting = stories.accept()
    migrate(empty_database)
    with empty_database.connect() as connection:
        subjects = connection.execute(select(outbox.c.subject).where(outbox.c.topic == "job")).scalars().all()
    assert set(subjects) == {stuck.id, waiting.id}
