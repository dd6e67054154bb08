"""Migrations can be taken back, as an operator does who returns to a release before: they leave nothing behind."""

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import configure_migrations
from tests.architecture.services import SERVICES
from tests.databases import create_migrated

_SCHEMA = """
    SELECT 'column', table_name || '.' || column_name, concat_ws(' ', udt_name, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL SELECT 'index', indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass
    UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'sequence', sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'
"""


def read_schema(connection: Connection) -> set[tuple[str, str, str]]:
    found = {(kind, name, definition) for kind, name, definition in connection.execute(text(_SCHEMA))}
    connection.commit()
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_all_migrations_can_be_taken_back_and_made_again(service: str, postgresql: PostgresqlServer) -> None:
    config = configure_migrations(service)
    engine = create_engine(create_migrated(postgresql, service))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        migrated = read_schema(connection)
        assert migrated
        command.downgrade(config, "base")
        assert read_schema(connection) == set()
        command.upgrade(config, "head")
        assert read_schema(connection) == migrated
    engine.dispose()
