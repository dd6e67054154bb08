"""The models say what the migrations make: nobody finds a missing column in production."""

import importlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel import idempotency, inbox, outbox
from microservices.kernel.migrations import migrate_database
from tests.architecture.services import SERVICES

KERNEL_TABLES = {name for module in (outbox, inbox, idempotency) for name in module.metadata.tables}


@pytest.mark.parametrize("service", SERVICES)
def test_the_migrated_database_is_what_the_models_say(service: str, postgresql: PostgresqlServer) -> None:
    url = postgresql.create_database()
    migrate_database(service, url)
    metadata = importlib.import_module(f"microservices.{service}.models").Base.metadata
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _parents: kind != "table" or name not in KERNEL_TABLES}
        context = MigrationContext.configure(connection, opts={**options, "compare_server_default": False})
        differences = [d for d in compare_metadata(context, metadata) if "alembic_version" not in str(d)]
    engine.dispose()
    assert differences == []
