"""The platform's keys."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import time_machine
from cryptography.fernet import Fernet

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database, utc_now
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import serve_app
from microservices.user_service.logic.signing_keys import KeyRing, add_signing_key
from microservices.user_service.main import build
from tests.databases import create_migrated
from user_service.conftest import make_settings
from user_service.people import register

JWKS = "/.well-known/jwks.json"


@pytest.fixture
def fresh_url(postgresql: PostgresqlServer) -> str:
    return create_migrated(postgresql, "user_service")


@pytest.fixture
def fresh(fresh_url: str) -> Iterator[Database]:
    database = Database(fresh_url)
    yield database
    database.dispose()


def test_only_public_parts_are_published(http: httpx.Client) -> None:
    answer = http.get(JWKS)
    assert answer.status_code == 200
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "alg", "use", "kid", "x", "y"}
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")


def test_processes_that_start_at_once_make_one_key(fresh: Database) -> None:
    cipher = FieldCipher([Fernet.generate_key().decode()])
    rings = [KeyRing(fresh, cipher) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        published = list(threads.map(lambda ring: [key["kid"] for key in ring.list_public()], rings))
    assert len(published[0]) == 1
    assert published == [published[0]] * 8


def test_a_restart_keeps_the_key_so_that_tokens_stay_good(fresh_url: str, redis_url: str) -> None:
    settings = make_settings(fresh_url, redis_url)
    with serve_app(build(settings)) as url, httpx.Client(base_url=url, timeout=60) as http:
        somebody = register(http)
        keys = http.get(JWKS).json()
    with serve_app(build(settings)) as url, httpx.Client(base_url=url, timeout=60) as http:
        assert http.get(JWKS).json() == keys
        assert http.get("/api/v1/users/me", headers=somebody.headers).status_code == 200


def test_a_new_key_is_published_before_it_signs(fresh: Database) -> None:
    cipher = FieldCipher([Fernet.generate_key().decode()])
    first = KeyRing(fresh, cipher).list_public()[0]["kid"]
    with fresh.transaction() as session:
        add_signing_key(session, cipher, signs_from=utc_now() + timedelta(hours=1))
    ring = KeyRing(fresh, cipher)
    (second,) = {key["kid"] for key in ring.list_public()} - {first}
    assert read_kid(ring.sign({"sub": "x"})) == first
    with time_machine.travel(timedelta(hours=2)):
        assert read_kid(ring.sign({"sub": "x"})) == second


def read_kid(token: str) -> str:
    header = token.split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def test_a_database_that_is_not_there_yet_is_waited_for(postgresql: PostgresqlServer, redis_url: str) -> None:
    url = postgresql.create_database("late")
    with serve_app(build(make_settings(url, redis_url))) as base, httpx.Client(base_url=base, timeout=60) as http:
        answer = http.get(JWKS)
        assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
        assert http.get("/health").status_code == 200
        assert http.get("/health/ready").status_code == 503
        migrate_database("user_service", url)
        assert len(http.get(JWKS).json()["keys"]) == 1
        assert http.get("/health/ready").status_code == 200
