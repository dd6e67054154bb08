"""A stage to measure job_processor on: a site that answers at once, our other services, and runs at many sites."""

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from aiohttp import web

from microservices.job_processor.models import Attempt, Job, Run
from microservices.kernel.db import Database, utc_now
from microservices.kernel.testing import TokenAuthority
from tests.job_processor.peers_stub import PeersStub, build_peers

SITES, PEOPLE = 10, 100
PANEL = uuid4()


class Site:
    """A Cloudgene site that takes everything, and whose jobs all run and never end."""

    def __init__(self) -> None:
        self.jobs = 0

    async def tell_server(self, _request: web.Request) -> web.Response:
        apps = [{"id": "imputationserver2@2.0.12", "name": "Imputation", "version": "2.0.12"}]
        return web.json_response({"name": "Bench", "apps": apps, "loggedIn": True})

    async def verify(self, _request: web.Request) -> web.Response:
        return web.json_response({"valid": True, "message": "fine", "username": "alice"})

    async def receive(self, request: web.Request) -> web.Response:
        await request.read()
        self.jobs += 1
        return web.json_response({"success": True, "id": f"job-20261122-120000-{self.jobs % 1_000_000}"})

    async def tell_job(self, request: web.Request) -> web.Response:
        return web.Response(text=json.dumps(show_job(request.match_info["job"])), content_type="application/json")

    async def list_jobs(self, request: web.Request) -> web.Response:
        """An account is told by its token: `token-site-person-jobs`."""
        _word, site, person, count = request.headers["X-Auth-Token"].split("-")
        page, all_jobs = int(request.query["page"]), int(count)
        names = [f"job-{site}-{person}-{number}" for number in range(all_jobs)][(page - 1) * 15 : page * 15]
        following = page + 1 if page * 15 < all_jobs else None
        answer = {"count": all_jobs, "page": page, "next": following, "data": [show_job(name) for name in names]}
        return web.Response(text=json.dumps(answer), content_type="application/json")


def show_job(name: str) -> dict[str, Any]:
    texts = ["3 valid VCF file(s) found.", "Samples: 50", "Calculating QC Statistics", "Imputation (1/4)"]
    messages = [{"success": True, "message": text, "type": 0, "time": 0} for text in texts]
    return {
        "id": name,
        "name": name,
        "application": "Genotype Imputation 2.0.12",
        "state": 2,
        "positionInQueue": 0,
        "submittedOn": 1_795_000_000_000,
        "steps": [{"id": 1, "name": "Phasing and Imputation", "empty": False, "logMessages": messages}],
        "outputParams": [],
    }


def serve_site(ports: "multiprocessing.Queue[int]") -> None:
    async def serve() -> None:
        site, app = Site(), web.Application(client_max_size=1 << 30)
        app.router.add_get("/api/v2/server", site.tell_server)
        app.router.add_post("/api/v2/tokens/verify", site.verify)
        app.router.add_post("/api/v2/jobs/submit/{app}", site.receive)
        app.router.add_get("/api/v2/jobs", site.list_jobs)
        app.router.add_get("/api/v2/jobs/{job}", site.tell_job)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
        ports.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def run_site() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=serve_site, args=(ports,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=30)}"
    finally:
        process.terminate()
        process.join(10)


class ManySites(PeersStub):
    """Our other services, with as many sites as are asked for; a person's token tells how many jobs they have."""

    jobs_each = 0

    def __init__(self, address: str) -> None:
        super().__init__(site_address=address)
        config = {"allow_private_network": True, "poll_first_s": 30, "hold_retry_s": 1, "poll_max_s": 30}
        self.site = {"api_config": config}


def build_many(peers: ManySites, authority: TokenAuthority) -> Any:
    """The stub's routes, before them those for sites and people that it need not know one by one."""
    app = build_peers(peers, authority)

    @app.get("/bench/sites/{service_id}")
    def get_site(service_id: UUID) -> dict[str, Any]:
        record = peers.describe_site()
        record["site"] |= {"id": str(service_id)}
        return record

    @app.post("/bench/credential")
    def resolve(body: dict[str, Any]) -> dict[str, str]:
        person = UUID(body["user_id"]).int
        return {"credential": f"token-{UUID(body['service_id']).int}-{person}-{peers.jobs_each}"}

    renamed = {"/bench/sites/{service_id}": "/internal/sites/", "/bench/credential": "/internal/site-credentials/"}

    async def route(scope: Any, receive: Any, send: Any) -> None:
        for target, prefix in renamed.items():
            if scope["type"] == "http" and scope["path"].startswith(prefix):
                last = scope["path"].rsplit("/", 1)[1]
                scope = scope | {"path": target.replace("{service_id}", last)}
        await app(scope, receive, send)

    return route


def fill_runs(database: Database, running: int) -> int:
    """So many runs at sites, spread over people and sites, an hour old; how many each account has."""
    each = running // (SITES * PEOPLE)
    now = utc_now()
    rows = [describe_running(number, now) for number in range(each * SITES * PEOPLE)]
    with database.transaction() as session:
        for table, described in zip((Job, Run, Attempt), zip(*rows, strict=True), strict=True):
            session.execute(sa.insert(table), list(described))
    return each


def describe_running(number: int, now: datetime) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(job, run, attempt)"""
    site, rest = number % SITES, number // SITES
    person, nth = rest % PEOPLE, rest // PEOPLE
    job_id, run_id, name = uuid4(), uuid4(), f"job-{site + 1}-{person + 1}-{nth}"
    own = {"organization_id": UUID(int=1), "owner_id": UUID(int=person + 1)}
    job = {"id": job_id, **own, "name": name, "status": "running", "parameters": {}}
    run = {
        "id": run_id,
        "job_id": job_id,
        "position": 0,
        **own,
        "service_id": UUID(int=site + 1),
        "panel_id": PANEL,
        "panel_key": "apps@panel@1.0.0",
        "status": "running",
        "external_job_id": name,
        "external_status": "running",
        "queue_position": None,
        "message": "Phasing and Imputation: Imputation (1/4)",
        "progress": 60.0,
        "submitted_at": now - timedelta(hours=1),
        "next_action_at": now,
    }
    attempt = {
        "run_id": run_id,
        "number": 1,
        "mark": f"imputehub-{run_id.hex}-1",
        "credential_source": "own",
        "body_bytes": 1,
        "lease_epoch": 1,
        "result_password": "unused",
        "started_at": now,
        "outcome": "accepted",
        "external_job_id": name,
    }
    return job, run, attempt


def queue_runs(database: Database, peers: ManySites, authority: TokenAuthority, count: int) -> list[UUID]:
    owner = UUID(int=1)
    file_id = peers.add_file(authority.person(user_id=owner, organization_id=owner)["Authorization"])
    own = {"organization_id": owner, "owner_id": owner}
    wish = {"build": "hg38", "population": None, "phasing": "no_phasing", "r2_filter": 0.0, "mode": "imputation"}
    ids = [(uuid4(), uuid4()) for _ in range(count)]
    with database.transaction() as session:
        jobs = [{"id": job, **own, "name": "job", "parameters": wish} for job, _run in ids]
        session.execute(sa.insert(Job), jobs)
        columns = "(job_id, position, file_id, filename, size, sha256) VALUES (:job, 0, :file, 'a.vcf.gz', 1000, 'x')"
        session.execute(sa.text(f"INSERT INTO job_inputs {columns}"), [{"job": job, "file": file_id} for job, _ in ids])
        rest = {"position": 0, "service_id": UUID(int=1), "panel_id": PANEL, "panel_key": "apps@panel@1.0.0"}
        session.execute(sa.insert(Run), [{"id": run, "job_id": job, **own, **rest} for job, run in ids])
    return [run for _job, run in ids]
