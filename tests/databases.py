"""Databases of our services, migrated once and copied: a migration takes half a second, a copy a tenth."""

import secrets
from contextlib import closing
from functools import cache

import psycopg2
from sqlalchemy import URL, make_url

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database


def create_migrated(server: PostgresqlServer, service: str) -> str:
    """A database that is nobody else's, as an SQLAlchemy URL; its role is that of all databases of the service."""
    template = _migrate_template(server, service)
    url = template.set(database=f"{template.database}_{secrets.token_hex(4)}")
    with closing(psycopg2.connect(server.admin_dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f'CREATE DATABASE "{url.database}" TEMPLATE "{template.database}" OWNER "{url.username}"')
    return url.render_as_string(hide_password=False)


@cache
def _migrate_template(server: PostgresqlServer, service: str) -> URL:
    url = server.create_database(service)
    migrate_database(service, url)
    return make_url(url)
