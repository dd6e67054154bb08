import contextlib

import psycopg2
import pytest

from imputehub.local.postgresql import Database, PostgresqlServer, create_databases, make_dsn

OWNERS = [
    "api_gateway",
    "user_service",
    "service_registry",
    "job_processor",
    "file_manager",
    "notification",
    "monitoring",
    "django",
]


@pytest.fixture
def databases(postgresql: PostgresqlServer) -> list[Database]:
    databases = [Database(f"{owner}_iso", owner, f"secret-{owner}") for owner in OWNERS]
    create_databases(postgresql.admin_dsn, databases)
    return databases


def try_connecting(dsn: str) -> str:
    """Empty when the server let us in, otherwise its words."""
    try:
        psycopg2.connect(dsn).close()
    except psycopg2.OperationalError as error:
        return str(error)
    return ""


def test_each_role_is_let_into_its_own_database_and_refused_by_all_others(
    postgresql: PostgresqlServer, databases: list[Database]
) -> None:
    for role in databases:
        assert try_connecting(make_dsn(role, postgresql.port)) == ""
        for name in [*(other.name for other in databases if other is not role), "postgres", "template1"]:
            answer = try_connecting(make_dsn(Database(name, role.role, role.password), postgresql.port))
            assert "does not have CONNECT privilege" in answer or "permission denied" in answer, (role, name)


def test_a_wrong_password_is_refused(postgresql: PostgresqlServer, databases: list[Database]) -> None:
    wrong = Database(databases[0].name, databases[0].role, "guessed")
    assert "password authentication failed" in try_connecting(make_dsn(wrong, postgresql.port))


def test_creating_the_databases_again_sets_the_new_passwords_and_keeps_the_data(
    postgresql: PostgresqlServer, databases: list[Database]
) -> None:
    first = databases[0]
    with contextlib.closing(psycopg2.connect(make_dsn(first, postgresql.port))) as connection:
        connection.cursor().execute("CREATE TABLE IF NOT EXISTS kept (id int)")
        connection.commit()
    changed = Database(first.name, first.role, "another")
    create_databases(postgresql.admin_dsn, [changed])
    with contextlib.closing(psycopg2.connect(make_dsn(changed, postgresql.port))) as connection:
        connection.cursor().execute("SELECT * FROM kept")
    assert "password authentication failed" in try_connecting(make_dsn(first, postgresql.port))


def test_text_sorts_and_folds_by_unicode_code_point(postgresql: PostgresqlServer) -> None:
    url = postgresql.create_database().replace("+psycopg2", "")
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT upper('é'), 'Z' < 'a', current_setting('TimeZone')")
        assert cursor.fetchone() == ("É", True, "UTC")
