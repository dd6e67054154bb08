"""A site's curated credential: kept encrypted, handed to runs only, seen nowhere else."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import sqlalchemy as sa
from cryptography.fernet import Fernet

from microservices.contracts.registry import SiteRecord
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.service_registry.registry import Registry, describe_panel
from tests.service_registry.stub_sites import StubSites, build_sites
from tests.waiting import wait_until

SECRET = "eyJhbGciOiJIUzI1NiJ9.very-secret-curated-token.c2ln"


def test_other_services_read_a_site_whole_but_for_its_credential(registry: Registry) -> None:
    panel = describe_panel(recipe={"workflow_url": "main.nf"})
    document = registry.describe_site(credential=SECRET, credential_shared=True, panels=[panel])
    site_id = registry.store(document)
    answer = registry.read_site(site_id)
    record = SiteRecord.model_validate(answer.json())
    assert SECRET not in answer.text
    assert record.has_credential
    assert record.site.credential is None
    assert record.site.base_url == document["base_url"]
    assert record.site.api_config.allow_private_network
    assert [str(found.id) for found in record.site.panels] == [panel["id"]]
    assert record.site.panels[0].recipe == panel["recipe"]


def test_a_shared_credential_is_given_to_a_run_and_audited(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site(credential=SECRET, credential_shared=True))
    assert registry.ask_credential(site_id).json() == {"credential": SECRET}
    assert registry.ask_credential(site_id, "catalogue:read").status_code == 403
    statement = sa.text("SELECT client_id FROM credential_accesses WHERE service_id = :id")
    with registry.engine.connect() as connection:
        assert connection.scalars(statement, {"id": site_id}).all() == ["job_processor"]


def test_a_credential_that_is_absent_withdrawn_or_not_shared_is_a_404(registry: Registry) -> None:
    document = registry.describe_site(credential=SECRET)
    site_id = registry.store(document)
    assert registry.ask_credential(site_id).json()["code"] == "credential_not_shared"
    registry.store({**document, "credential_shared": True})
    assert registry.ask_credential(site_id).status_code == 200
    registry.store({**document, "credential_shared": True, "credential": None})
    assert registry.ask_credential(site_id).status_code == 404
    assert not SiteRecord.model_validate(registry.read_site(site_id).json()).has_credential
    registry.store({**document, "requires_auth": False})
    assert registry.ask_credential(site_id).status_code == 200


def test_a_refused_document_does_not_repeat_the_credential(registry: Registry) -> None:
    document = registry.describe_site(credential={"token": SECRET})
    answer = registry.send("site.changed", document["id"], document)
    assert answer.status_code == 400
    assert SECRET not in answer.text
    assert SECRET not in registry.dump_database()


def test_no_answer_row_or_log_line_of_a_running_registry_holds_the_credential(
    new_database: Callable[[], str], authority: TokenAuthority, authority_url: str, tmp_path: Path
) -> None:
    """The registry as a real process, so that everything it writes can be read."""
    database_url, port, log = new_database(), pick_free_port(), tmp_path / "registry.log"
    environment = {
        "PATH": os.environ["PATH"],
        "SERVICE_REGISTRY_DATABASE_URL": database_url,
        "SERVICE_REGISTRY_CLIENT_SECRET": "unused-by-the-stub",
        "SERVICE_REGISTRY_ENCRYPTION_KEYS": f"{Fernet.generate_key().decode()},{Fernet.generate_key().decode()}",
        "USER_SERVICE_URL": authority_url,
        "NOTIFICATION_URL": "http://127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1",
        "LOG_LEVEL": "DEBUG",
    }
    factory = "microservices.service_registry.main:create"
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--port", str(port), "--no-access-log"]
    with log.open("wb") as output, serve_app(build_sites(sites := StubSites())) as sites_url:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
            engine = sa.create_engine(database_url)
            registry = Registry(http, authority, engine, sites, sites_url, [])
            wait_until(lambda: is_ready(http), "the registry is ready", within_s=30)
            answers = use_site_with_secret(registry)
            dump = registry.dump_database()
            engine.dispose()
            http.close()
        finally:
            process.terminate()
            process.wait(timeout=20)
    assert "site_stored" in log.read_text()
    assert "curated_secret_handed_out" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert SECRET not in answers + dump + log.read_text()
    assert SECRET not in str(sites.headers)


def pick_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def use_site_with_secret(registry: Registry) -> str:
    """Everything the registry answers about a site with a secret, but for the one answer that is meant to hold it."""
    document = registry.describe_site(credential=SECRET, credential_shared=True, panels=[describe_panel()])
    site_id = registry.store(document)
    registry.send("site.changed", site_id, {**document, "country": 5})
    registry.wait_for_check(site_id)
    assert registry.ask_credential(site_id).json() == {"credential": SECRET}
    answers = [
        registry.get(path, ("admin",))
        for path in ("/services", f"/services/{site_id}", f"/services/{site_id}/health", "/panels")
    ]
    answers += [registry.check(site_id, ("operator",), force=True), registry.read_site(site_id)]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(answer.text for answer in answers)
