"""A catalogue that is older than its history: its rows are recorded once, so that their next change can be told."""

import subprocess
import sys

import psycopg2

from imputehub.local.postgresql import PostgresqlServer
from tests.django_app.conftest import House
from tests.django_app.test_process import base_environment

_SITE = """
    INSERT INTO imputation_imputationservice (id, name, service_type, api_type, base_url, location, country,
        requires_auth, credential, credential_shared, api_config, is_active, supported_formats, created_at, updated_at)
    VALUES ('0b0e3c1e-5f3a-4c58-9c36-0a86a41a94c7', 'Old site', 'imputation', 'michigan', 'https://example.org', '', '',
        true, 'sealed', false, '{}', true, '{vcf.gz}', now(), now())
"""


def test_what_was_there_before_is_recorded_without_secrets(house: House, postgresql: PostgresqlServer) -> None:
    url = postgresql.create_database("history_start")

    def migrate(*target: str) -> None:
        command = [sys.executable, "-m", "django_app.manage", "migrate", "--verbosity", "0", *target]
        environment = {**base_environment(), **house.environment, "DJANGO_DATABASE_URL": url}
        subprocess.run(command, env=environment, check=True)

    migrate("imputation", "0002")
    with psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql")) as connection:
        connection.cursor().execute(_SITE)
    migrate()
    with psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql")) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT h::text FROM imputation_historicalimputationservice h")
        [(record,)] = cursor.fetchall()
    assert "Old site" in record
    assert "start of the history" in record
    assert "sealed" not in record
