"""A site that fetches its inputs by itself: with links of the real file_manager, which end with the run."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from sqlalchemy import text

from imputehub.local.postgresql import PostgresqlServer
from microservices.file_manager.logic.links import LinkSigner
from microservices.file_manager.main import build as build_files
from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.engine import Engine, start_engine
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.main import build
from microservices.job_processor.models import Run
from microservices.kernel.testing import serve_app
from sandbox.simulator import simulate_cohort
from tests.databases import create_migrated
from tests.file_manager.world import GOOD_VCF, make_settings
from tests.job_processor.conftest import World
from tests.sandbox_wes.wes_site import RunningWes, require_sapporo
from tests.waiting import wait_until

RECIPE = json.loads((Path(__file__).parents[2] / "sandbox" / "wes" / "recipe.json").read_text())


@dataclass
class FetchingSite:
    """A WES server that fetches what it is told to, and keeps it."""

    targets: list[str] = field(default_factory=list)
    fetched: list[bytes] = field(default_factory=list)
    attachments: int = 0
    state: str = "RUNNING"

    def fetch(self, url: str) -> None:
        answer = httpx.get(url)
        assert answer.status_code == 200
        self.fetched.append(answer.content)

    def build(self) -> FastAPI:
        app = FastAPI()

        @app.get("/service-info")
        def describe() -> dict[str, Any]:
            types = {"SANDBOX": {"workflow_type_version": ["1.0"]}}
            return {"id": "x", "version": "1", "workflow_type_versions": types, "supported_wes_versions": ["1.1.0"]}

        @app.get("/runs")
        def list_runs() -> dict[str, Any]:
            return {"runs": [], "next_page_token": ""}

        @app.post("/runs")
        async def submit(request: Request) -> dict[str, str]:
            form = await request.form()
            self.attachments += len(form.getlist("workflow_attachment"))
            self.targets = json.loads(str(form["workflow_params"]))["targets"]
            for url in self.targets:
                await run_in_threadpool(self.fetch, url)
            return {"run_id": "run-1"}

        @app.get("/runs/{run_id}")
        def tell(run_id: str) -> dict[str, Any]:
            return {"run_id": run_id, "state": self.state}

        @app.get("/runs/{run_id}/status")
        def tell_status(run_id: str) -> dict[str, Any]:
            return {"run_id": run_id, "state": self.state}

        @app.post("/runs/{run_id}/cancel")
        def cancel(run_id: str) -> Response:
            self.state = "CANCELED"
            return JSONResponse({"run_id": run_id})

        return app


@dataclass
class Platform:
    """job_processor and file_manager as they are, with the other services as stubs."""

    world: World
    engine: Engine
    jobs: httpx.Client
    files: httpx.Client
    headers: dict[str, str]

    def use_site(self, address: str, **config: Any) -> None:
        panel = {"id": str(self.world.peers.panel_id), "name": "P", "panel_id": "simulated-hg38", "populations": []}
        self.world.peers.site = {
            "api_type": "ga4gh",
            "base_url": address,
            "requires_auth": "token_url" in config,
            "panels": [panel | {"build": "hg38", "recipe": RECIPE}],
            "api_config": {"allow_private_network": True, "poll_first_s": 0.1, "input_mode": "url", **config},
        }

    def upload(self, content: bytes) -> str:
        answer = self.files.post("/api/v1/files?filename=cohort.vcf.gz", content=content, headers=self.headers)
        file_id: str = answer.json()["id"]
        wait_until(lambda: self.files.get(f"/api/v1/files/{file_id}", headers=self.headers).json()["status"] == "ready")
        return file_id

    def submit(self, file_id: str, **of_target: Any) -> tuple[str, UUID]:
        peers = self.world.peers
        quality = self.files.get(f"/api/v1/files/{file_id}/qc", headers=self.headers).json()
        wish = {
            "name": "by link",
            "build": quality["build"],
            "phasing": "no_phasing" if quality["phased"] else "eagle",
            "input_file_ids": [file_id],
            "targets": [{"service_id": str(peers.service_id), "panel_id": str(peers.panel_id), **of_target}],
        }
        answer = self.jobs.post("/api/v1/jobs", json=wish, headers=self.headers)
        assert answer.status_code == 202, answer.text
        job = answer.json()
        run_id = UUID(job["runs"][0]["id"])
        submit_run(self.engine, run_id)
        return job["id"], run_id

    def look(self, run_id: UUID) -> None:
        with self.engine.database.transaction() as session:
            run = session.get_one(Run, run_id)
            run.next_action_at = run.created_at
        poll_due_runs(self.engine, lambda _run_id: None).result(timeout=60)

    def get_run(self, job_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.jobs.get(f"/api/v1/jobs/{job_id}", headers=self.headers).json()["runs"][0]
        return run

    def open_link(self, url: str) -> httpx.Response:
        return self.files.get(url)

    def follow(self, job_id: str, run_id: UUID, status: str) -> dict[str, Any]:
        def has_come() -> bool:
            self.look(run_id)
            return self.get_run(job_id)["status"] not in ("running", "submitting")

        wait_until(has_come)
        run = self.get_run(job_id)
        assert run["status"] == status, run
        return run


@pytest.fixture
def platform(world: World, postgresql: PostgresqlServer, tmp_path: Path) -> Iterator[Platform]:
    url, jobs_url = (create_migrated(postgresql, service) for service in ("file_manager", "job_processor"))
    authority_url = world.engine.settings.authority_url
    storage = make_settings(url, tmp_path / "storage", authority_url, authority_url)
    app = build_files(storage)
    with contextlib.ExitStack() as stack:
        files_url = stack.enter_context(serve_app(app))
        app.state.engine.links = LinkSigner(storage.url_signing_keys.get_secret_value(), files_url)
        own = {"files_url": files_url, "database_url": SecretStr(jobs_url)}
        settings = world.engine.settings.model_copy(update=own)
        jobs_url = stack.enter_context(serve_app(build(settings)))
        engine = start_engine(settings)
        stack.callback(engine.database.dispose)
        stack.callback(lambda: engine.loop.run(engine.sites.close()))
        jobs = stack.enter_context(httpx.Client(base_url=jobs_url, timeout=60))
        files = stack.enter_context(httpx.Client(base_url=files_url, timeout=60))
        yield Platform(world, engine, jobs, files, world.new_person().headers)


@pytest.fixture
def site(platform: Platform) -> Iterator[FetchingSite]:
    stub = FetchingSite()
    with serve_app(stub.build()) as address:
        platform.use_site(address)
        yield stub


def test_a_site_fetches_the_input_by_itself_until_the_run_is_cancelled(platform: Platform, site: FetchingSite) -> None:
    job_id, run_id = platform.submit(platform.upload(GOOD_VCF))
    assert (site.fetched, site.attachments) == ([GOOD_VCF], 0)
    platform.look(run_id)
    assert platform.open_link(site.targets[0]).content == GOOD_VCF
    platform.jobs.post(f"/api/v1/jobs/{job_id}/cancel", headers=platform.headers)
    platform.follow(job_id, run_id, "cancelled")
    wait_until(lambda: platform.open_link(site.targets[0]).status_code == 403)
    assert platform.open_link(site.targets[0]).json()["code"] == "link_revoked"


def test_a_run_that_is_moved_leaves_no_link_behind(platform: Platform, site: FetchingSite) -> None:
    peers = platform.world.peers
    panel = peers.site["panels"][0]
    peers.site["panels"] = [panel, panel | {"id": str(peers.second_panel_id)}]
    alternate = {"service_id": str(peers.service_id), "panel_id": str(peers.second_panel_id)}
    job_id, run_id = platform.submit(platform.upload(GOOD_VCF), alternates=[alternate])
    former = site.targets[0]
    answer = platform.jobs.post(f"/api/v1/jobs/{job_id}/runs/{run_id}/move", headers=platform.headers)
    assert answer.status_code == 202, answer.text
    platform.follow(job_id, run_id, "waiting_for_site")
    wait_until(lambda: platform.open_link(former).status_code == 403)
    site.state = "RUNNING"
    submit_run(platform.engine, run_id)
    assert platform.get_run(job_id)["panel_id"] == str(peers.second_panel_id)
    assert platform.open_link(site.targets[0]).content == GOOD_VCF


def test_a_failed_run_ends_its_link_and_a_retry_gets_one_of_its_own(platform: Platform, site: FetchingSite) -> None:
    job_id, run_id = platform.submit(platform.upload(GOOD_VCF))
    former, site.state = site.targets[0], "EXECUTOR_ERROR"
    platform.follow(job_id, run_id, "failed")
    site.state = "RUNNING"
    platform.jobs.post(f"/api/v1/jobs/{job_id}/retry", headers=platform.headers)
    submit_run(platform.engine, run_id)
    wait_until(lambda: platform.open_link(former).status_code == 403)
    assert platform.open_link(site.targets[0]).status_code == 200
    assert len(site.fetched) == 2


def test_a_run_waits_for_file_manager_to_make_its_link(platform: Platform, site: FetchingSite) -> None:
    file_id = platform.upload(GOOD_VCF)
    away = platform.engine.settings.model_copy(update={"files_url": "http://127.0.0.1:1"})
    worker = start_engine(away)
    platform.engine, usual = worker, platform.engine
    job_id, run_id = platform.submit(file_id)
    run = platform.get_run(job_id)
    assert (run["status"], run["attempts"], site.fetched) == ("queued", 0, [])
    assert "file_manager" in run["message"]
    worker.loop.run(worker.sites.close())
    worker.database.dispose()
    submit_run(usual, run_id)
    assert (platform.get_run(job_id)["status"], site.fetched) == ("running", [GOOD_VCF])


def test_the_address_is_told_nowhere(platform: Platform, site: FetchingSite, capfd: pytest.CaptureFixture[str]) -> None:
    job_id, _run_id = platform.submit(platform.upload(GOOD_VCF))
    secret = urlsplit(site.targets[0]).query
    told = [
        platform.jobs.get(f"/api/v1/jobs/{job_id}{path}", headers=platform.headers).text for path in ("", "/events")
    ]
    with platform.engine.database.transaction() as session:
        told += [row[0] for row in session.execute(text("SELECT row_to_json(run_attempts)::text FROM run_attempts"))]
        told += [row[0] for row in session.execute(text("SELECT row_to_json(job_runs)::text FROM job_runs"))]
    logs = capfd.readouterr()
    assert len(secret) > 60
    assert not any(secret in text for text in (*told, logs.out, logs.err))


def test_the_sandbox_site_of_other_people_imputes_what_it_fetched(platform: Platform, tmp_path: Path) -> None:
    require_sapporo()
    simulation = simulate_cohort(tmp_path / "sim", seed=31, samples=10, panel_haplotypes=200, length=400_000, typed=150)
    folder = tmp_path / "site"
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    running = RunningWes(folder)
    try:
        platform.use_site(running.url)
        job_id, run_id = platform.submit(platform.upload(simulation.cohort.read_bytes()))
        platform.follow(job_id, run_id, "collecting")
        run = running.read(platform.get_run(job_id)["external_job_id"])
        assert not run["request"].get("workflow_attachment")
        collect_results(platform.engine, run_id)
        assert platform.get_run(job_id)["status"] == "completed"
        results = platform.jobs.get(f"/api/v1/jobs/{job_id}/results", headers=platform.headers).json()["items"]
        assert {result["filename"] for result in results} == {"chr20.dose.vcf.gz", "chr20.info.gz"}
        (link,) = run["request"]["workflow_params"]["targets"]
        wait_until(lambda: platform.open_link(link).status_code == 403)
    finally:
        running.stop()
