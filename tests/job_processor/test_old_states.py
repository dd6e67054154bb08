"""A database that an earlier version of the platform left is brought up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, text

from imputehub.local.postgresql import PostgresqlServer
from microservices import job_processor
from microservices.kernel import migrations
from microservices.kernel.migrations import migrate_database


def go_back(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    config.set_main_option("version_locations", str(Path(job_processor.__path__[0]) / "migrations"))
    config.set_main_option("path_separator", "newline")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()


def test_a_state_from_before_recipes_gets_the_column(postgresql: PostgresqlServer) -> None:
    url = postgresql.create_database()
    migrate_database("job_processor", url)
    engine = create_engine(url)
    go_back(engine, "20261122_02")
    with engine.begin() as connection:  # as the first migration left it at first
        connection.execute(text("ALTER TABLE job_runs DROP COLUMN recipe"))
    migrate_database("job_processor", url)
    with engine.connect() as connection:
        assert "recipe" in {column["name"] for column in inspect(connection).get_columns("job_runs")}
    engine.dispose()
