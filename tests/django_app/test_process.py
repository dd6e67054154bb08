"""The processes: health, metrics, documentation, request ids, settings, the worker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.core.management import call_command

from django_app.config.environment import Environment, read_database_url
from django_app.outbox.models import Delivery
from imputehub.local.children import find_free_port
from tests.django_app.catalogue import add_site
from tests.django_app.conftest import House

SETTINGS = "django_app.config.settings"


def test_health_tells_that_it_is_alive(house: House) -> None:
    answer = httpx.get(f"{house.url}/health")
    assert answer.json()["status"] == "ok"
    assert answer.json()["service"] == "django"


def test_readiness_names_each_dependency(house: House) -> None:
    answer = httpx.get(f"{house.url}/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["dependencies"]) == {"database", "broker", "user_service", "service_registry"}
    assert answer.json()["dependencies"]["database"]["status"] == "ok"
    assert answer.json()["dependencies"]["broker"]["status"] == "ok"


def test_a_registry_that_is_down_is_seen_and_does_not_stop_curation(house: House) -> None:
    house.registry.stop()
    try:
        answer = httpx.get(f"{house.url}/health/ready")
    finally:
        house.registry.start()
    assert answer.status_code == 200
    assert answer.json()["dependencies"]["service_registry"]["status"] == "down"


def test_metrics_tell_how_much_waits(house: House) -> None:
    add_site()
    text = httpx.get(f"{house.url}/metrics").text
    assert 'outbox_depth{subscriber="service_registry"} 1.0' in text
    assert 'http_requests_total{method="GET",route="/' in text


def test_a_request_id_is_kept_when_it_is_harmless_and_replaced_when_not(house: House) -> None:
    assert (
        httpx.get(f"{house.url}/health", headers={"X-Request-ID": "abc-12345"}).headers["X-Request-ID"] == "abc-12345"
    )
    assert httpx.get(f"{house.url}/health", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"] != "a b"


def test_the_documentation_asks_no_other_host(house: House) -> None:
    schema = httpx.get(f"{house.url}/openapi.json").json()
    assert "/api/v1/curation/services/{id}/push/" in schema["paths"]
    assert schema["components"]["schemas"]["ServiceRequest"]["properties"]["credential"]["writeOnly"] is True
    page = httpx.get(f"{house.url}/docs")
    assert page.status_code == 200
    assert "POST /api/v1/curation/panels/" in page.text
    assert "//" not in page.text.replace("http://www.w3.org", "").replace("https://imputation.example.org", "")


def test_migrations_say_what_the_models_say(house: House) -> None:
    said = StringIO()
    with suppress(SystemExit):
        call_command("makemigrations", "--check", "--dry-run", stdout=said)
    assert said.getvalue() == "No changes detected\n"


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "uvicorn", "django_app.config.asgi:application", "--port", "0"],
        ["-m", "celery", "-A", "django_app.config.celery:app", "worker", "-P", "threads"],
    ],
    ids=["web", "worker"],
)
def test_a_process_without_its_settings_says_which_are_missing(house: House, command: list[str]) -> None:
    incomplete = {**base_environment(), **house.environment}
    del incomplete["DJANGO_ENCRYPTION_KEYS"]
    result = subprocess.run(
        [sys.executable, *command], env=incomplete, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode != 0
    assert "Not set: DJANGO_ENCRYPTION_KEYS." in result.stderr


def test_the_public_address_decides_on_hosts_and_cookies() -> None:
    environment = Environment(public_url="https://hub.example.org", own_url="http://django:8010")
    assert environment.host_names == ["127.0.0.1", "[::1]", "django", "hub.example.org", "localhost"]
    assert environment.public_origin == "https://hub.example.org"


def test_a_database_address_may_hold_special_characters_and_options() -> None:
    url = "postgresql+psycopg2://role:p%40ss@db.example.org:5433/name?sslmode=require"
    database = read_database_url(url)["default"]
    assert (database["USER"], database["PASSWORD"], database["PORT"]) == ("role", "p@ss", "5433")
    assert database["OPTIONS"]["sslmode"] == "require"


SAVE_A_SITE = """
import django
django.setup()
from tests.django_app.catalogue import add_site
add_site()
print("saved")
"""


def test_a_save_succeeds_at_once_while_the_broker_is_down(house: House) -> None:
    away = {"DJANGO_BROKER_URL": f"redis://127.0.0.1:{find_free_port()}/2"}
    environment = {**base_environment(), **house.environment, **away, "DJANGO_SETTINGS_MODULE": SETTINGS}
    result = subprocess.run(
        [sys.executable, "-c", SAVE_A_SITE], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "saved"
    assert Delivery.objects.filter(delivered_at=None).count() == 1


def base_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}


@pytest.fixture
def worker(house: House, tmp_path: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "django_app.config.celery:app", "worker", "-B", "-P", "threads"]
    command += ["-c", "2", "-s", str(tmp_path / "beat"), "--without-mingle", "--without-gossip"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env={**base_environment(), **house.environment}, stdout=log, stderr=log)
    try:
        yield
        assert process.poll() is None, (tmp_path / "worker.log").read_text()
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.usefixtures("worker")
def test_the_worker_delivers_at_once_and_after_a_pause_of_the_registry(house: House, curator: httpx.Client) -> None:
    site = add_site()
    house.registry.wait_for(lambda received: len(received) == 1, seconds=30)
    assert house.registry.tokens[0].count(".") == 2  # a token of the authority
    assert curator.patch(f"/services/{site.pk}/", json={"name": "Renamed"}).status_code == 200
    house.registry.wait_for(lambda received: received[-1]["data"]["name"] == "Renamed")
    house.registry.stop()
    curator.patch(f"/services/{site.pk}/", json={"name": "While you were away"})
    house.registry.start()
    house.registry.wait_for(lambda received: received[-1]["data"]["name"] == "While you were away")
