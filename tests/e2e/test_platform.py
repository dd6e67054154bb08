"""The platform as its users meet it: one command, a real imputation, and faults that cost nobody a job."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
import pytest

from imputehub.client import Client, PlatformError
from imputehub.demo.sandbox import prepare_cohort
from tests.e2e.conftest import Platform
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(600)


def test_the_demonstration_imputes_at_two_sites_and_is_accurate(demo: str) -> None:
    common = re.search(r"5–50 %\W+([01]\.\d+)\W+([01]\.\d+)", demo)
    assert common is not None, demo
    assert all(float(r2) >= 0.95 for r2 in common.groups())
    assert "each SHA-256 is the one that file_manager gives" in demo
    assert "/admin/" in demo


def test_every_process_is_ready_and_listed_as_agreed(platform: Platform) -> None:
    processes = platform.processes()
    assert {process["state"] for process in processes.values()} == {"ready"}
    kinds = {process["kind"] for process in processes.values()}
    assert kinds == {"service", "django", "worker", "database", "cache", "sandbox"}
    fields = {"name", "kind", "pid", "state", "port", "memory_mb", "restarts"}
    assert all(set(process) == fields for process in processes.values())


def test_no_role_can_enter_another_owners_database(platform: Platform) -> None:
    databases = platform.credentials["databases"]
    assert len(databases) == 8
    for owner, own_url in databases.items():
        psycopg2.connect(own_url).close()
        for other in set(databases) - {owner}:
            with pytest.raises(psycopg2.OperationalError, match="permission denied"):
                psycopg2.connect(own_url.replace(f"/{owner}", f"/{other}"))


def test_the_catalogue_came_through_django(platform: Platform, demo: str) -> None:
    with platform.log_in("curator") as curator, platform.log_in("researcher2") as researcher:
        curated = curator.list_all("/api/v1/curation/services/")
        shown = researcher.list_services()
        assert {site["id"] for site in curated} == {site["id"] for site in shown}
        changed, site_id = f"edited {uuid4().hex[:8]}", curated[0]["id"]
        curator.call("PATCH", f"/api/v1/curation/services/{site_id}/", json={"location": changed})
        path = f"/api/v1/services/{site_id}"
        wait_until(lambda: researcher.call("GET", path)["location"] == changed, "the edit reaches the registry")


def test_what_belongs_to_another_organisation_does_not_exist(platform: Platform, demo: str) -> None:
    with platform.log_in("researcher") as owner, platform.log_in("researcher2") as stranger:
        job = next(job for job in owner.list_jobs() if job["status"] == "completed")
        file = owner.list_files()[0]
        result = owner.list_results(job["id"])[0]
        assert stranger.list_jobs() == []
        assert stranger.list_files() == []
        paths = [f"/api/v1/jobs/{job['id']}", f"/api/v1/files/{file['id']}", f"/api/v1/files/{result['id']}/content"]
        for path in paths:
            with pytest.raises(PlatformError) as refusal:
                stranger.call("GET", path)
            assert refusal.value.status == 404


def test_the_gateway_shows_no_inner_door(platform: Platform) -> None:
    gateway = platform.credentials["gateway_url"]
    for path in (
        "/internal/events",
        "/metrics",
        "//internal/events",
        "/api/v1/../../internal/events",
        "/%69nternal/events",
    ):
        assert httpx.get(f"{gateway}{path}").status_code == 404


def test_the_admin_opens_behind_the_gateway(platform: Platform) -> None:
    with httpx.Client(base_url=platform.credentials["gateway_url"], follow_redirects=True) as browser:
        page = browser.get("/admin/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        account = platform.credentials["accounts"]["curator"]
        form = {"username": account["email"], "password": account["password"], "csrfmiddlewaretoken": token.group(1)}
        inside = browser.post(str(page.url), data=form, headers={"Referer": str(page.url)})
        assert inside.status_code == 200
        assert "imputation" in browser.get("/admin/imputation/imputationservice/").text.lower()


def test_the_commands_take_a_person_from_upload_to_results(platform: Platform, demo: str, tmp_path: Path) -> None:
    account = platform.credentials["accounts"]["researcher"]
    gateway = platform.credentials["gateway_url"]
    login = ("login", "--gateway", gateway, "--email", account["email"], "--password", account["password"])
    platform.command(*login, person=tmp_path)
    cohort = prepare_cohort(platform.home).typed
    uploaded = platform.command("files", "upload", str(cohort), person=tmp_path).stdout
    file_id = re.search(r"ready, id ([0-9a-f-]{36})", uploaded)
    assert file_id is not None, uploaded
    with platform.log_in("researcher") as client:
        site, panel = find_cloudgene_panel(client)
    target = f"{site['name']}/{panel['name']}"
    options = ("--target", target, "--build", "hg38", "--phasing", "no_phasing", "--mode", "qc_only", "--watch")
    submitted = platform.command("jobs", "submit", file_id.group(1), *options, person=tmp_path).stdout
    job_id = submitted.splitlines()[0].strip()
    assert job_id in platform.command("jobs", "list", "--status", "completed", person=tmp_path).stdout
    folder = tmp_path / "results"
    platform.command("results", "download", job_id, "-o", str(folder), person=tmp_path)
    assert [path.name for path in folder.rglob("qc_report.txt")] == ["qc_report.txt"]


def find_cloudgene_panel(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    site = next(site for site in client.list_services() if site["name"] == "Sandbox imputation server")
    return site, client.list_panels(site["id"])[0]


def submit_demo_job(client: Client, **changes: Any) -> str:
    file = next(file for file in client.list_files() if file["status"] == "ready")
    site, panel = find_cloudgene_panel(client)
    target = {"service_id": site["id"], "panel_id": panel["id"]}
    wish = {"name": "under fire", "input_file_ids": [file["id"]], "build": "hg38", "phasing": "no_phasing"}
    return str(client.create_job(wish | {"targets": [target]} | changes)["id"])


def test_a_job_survives_the_death_of_everything_that_works_on_it(platform: Platform, demo: str) -> None:
    """Killed one after another while the site imputes; each is brought back, and the site has one job."""
    before = count_site_jobs(platform)
    with platform.log_in("researcher") as client:
        job_id = submit_demo_job(client)
        wait_until(lambda: client.get_job(job_id)["runs"][0]["status"] == "running", "the run is at the site")
        for name in ("job_worker", "job_processor", "valkey", "postgresql", "file_manager", "user_service"):
            kill_and_await(platform, name)
        wait_until(lambda: ended(client, job_id), "the job ends", within_s=180)
        job = client.get_job(job_id)
        assert (job["status"], job["runs"][0]["attempts"]) == ("completed", 1), job
    assert count_site_jobs(platform) == before + 1


def ended(client: Client, job_id: str) -> bool:
    try:
        return client.get_job(job_id)["status"] not in ("queued", "running")
    except PlatformError as error:
        if error.status in (0, 502, 503):  # what a client sees while a part is being brought back
            return False
        raise


def kill_and_await(platform: Platform, name: str) -> None:
    process = platform.processes()[name]
    os.kill(process["pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = platform.processes()[name]
        return bool(now["state"] == "ready" and now["pid"] != process["pid"])

    wait_until(is_back, f"{name} is back")


def count_site_jobs(platform: Platform) -> int:
    """As the site itself counts them."""
    port = platform.processes()["sandbox_site"]["port"]
    account = json.loads((platform.home / "sandbox" / "accounts.json").read_text())[0]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as site:
        form = {"username": account["username"], "password": account["password"]}
        token = site.post("/login", json=form).raise_for_status().json()["access_token"]
        count: int = site.get("/api/v2/jobs?page=1", headers={"X-Auth-Token": token}).raise_for_status().json()["count"]
        return count


def test_a_cancelled_job_ends_at_the_site_too(platform: Platform, demo: str) -> None:
    with platform.log_in("researcher") as client:
        job_id = submit_demo_job(client)
        wait_until(lambda: client.get_job(job_id)["runs"][0]["status"] == "running", "the run is at the site")
        client.cancel_job(job_id)
        wait_until(lambda: client.get_job(job_id)["status"] == "cancelled", "the site confirms")
        assert client.get_job(job_id)["runs"][0]["external_status"] == "cancelled"


def test_a_finished_job_is_told_to_its_owner(platform: Platform, demo: str) -> None:
    with platform.log_in("researcher") as client:
        titles = {item["title"] for item in client.list_all("/api/v1/notifications")}
        assert "Results are ready" in titles


def test_operators_see_every_service_and_others_do_not(platform: Platform) -> None:
    with platform.log_in("operator") as operator, platform.log_in("researcher") as researcher:
        overview = operator.call("GET", "/api/v1/monitoring/overview")
        assert overview
        with pytest.raises(PlatformError) as refusal:
            researcher.call("GET", "/api/v1/monitoring/overview")
        assert refusal.value.status == 403


def test_a_second_start_says_so_and_changes_nothing(platform: Platform) -> None:
    before = platform.processes()
    again = platform.command("up", "--detach")
    assert "already running" in again.stdout
    assert {name: process["pid"] for name, process in platform.processes().items()} == {
        name: process["pid"] for name, process in before.items()
    }
