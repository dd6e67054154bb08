"""The kernel under small applications of the tests' own, on the real PostgreSQL, over real HTTP."""

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.db import Database
from microservices.kernel.idempotency import create_idempotency_table
from microservices.kernel.inbox import create_inbox_tables
from microservices.kernel.outbox import create_outbox_tables
from microservices.kernel.settings import ServiceSettings


@pytest.fixture
def database(postgresql: PostgresqlServer) -> Iterator[Database]:
    """A database with the kernel's own tables."""
    database = Database(postgresql.create_database("kernel"))
    with database.engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        create_outbox_tables(operations)
        create_inbox_tables(operations)
        create_idempotency_table(operations)
    yield database
    database.dispose()


@pytest.fixture
def settings(database: Database, authority_url: str) -> ServiceSettings:
    given = {
        "database_url": database.engine.url.render_as_string(hide_password=False),
        "client_secret": "not used here",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "USER_SERVICE_URL": authority_url,
    }
    return ServiceSettings.model_validate(given)
