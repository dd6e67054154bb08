"""Migrations of a service's database: each service keeps its own version files, all share one environment."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

_LOCK = 0x1A9E5


def migrate_database(service: str, url: str) -> None:
    """Bring the database of `service` (its folder's name) to its newest version.

    Two processes that migrate at once wait for one another; a table that is in use for long fails the migration
    (`lock_timeout`) instead of blocking everyone behind it.
    """
    config = configure_migrations(service)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.execute(text("SET lock_timeout = '10s'"))
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()
    finally:
        engine.dispose()


def configure_migrations(service: str) -> Config:
    """For Alembic's commands, which take the connection from `attributes["connection"]`."""
    here = Path(__file__).parent
    config = Config()
    config.set_main_option("script_location", str(here))
    config.set_main_option("version_locations", str(here.parent.parent / service / "migrations"))
    config.set_main_option("path_separator", "newline")
    return config
