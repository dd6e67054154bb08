"""A Cloudgene site that counts what it accepts, and whose line to us is as bad as a line can be.

Its faults are drawn from a seed. What became of a submission is known here for certain, whatever we were told.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.job_processor.cloudgene_stub import make_archive

# What becomes of a submission: how often, in parts.
FAULTS = {
    "none": 8,
    "dropped before it was accepted": 2,
    "dropped in its body": 1,
    "dropped after it was accepted": 3,
    "dropped, and accepted some seconds later": 2,
    "answered 500 after it was accepted": 1,
    "answered 503 after it was accepted": 1,
    "answered 429 after it was accepted": 1,
    "answered late": 2,
}
# Of the other calls, so many in a hundred are answered by a proxy's page, or not at all.
TROUBLE_PERCENT = 6
RESULTS = ("chr20.dose.vcf.gz", "chr20.info.gz", "qc_report.txt")


@dataclass
class AcceptedJob:
    id: str
    mark: str
    password: str
    accepted_at: float
    cancelled: bool = False
    archive: bytes = b""

    @property
    def run(self) -> str:
        return self.mark.rpartition("-")[0]


@dataclass
class ChaosSite:
    """`pace_s`: how long a job waits, and again how long it runs; `late_s`: how much later a late one is seen."""

    seed: int
    pace_s: float = 1.0
    late_s: float = 8.0
    faults: dict[str, int] = field(default_factory=lambda: dict(FAULTS))
    jobs: list[AcceptedJob] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    downloads: Counter[str] = field(default_factory=Counter)
    calm: bool = False

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._later: set[asyncio.Task[None]] = set()

    def count_by_run(self) -> Counter[str]:
        return Counter(job.run for job in self.jobs)

    def build(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_get("/api/v2/server", self.tell_server)
        app.router.add_post("/api/v2/tokens/verify", self.verify)
        app.router.add_post("/api/v2/jobs/submit/{app}", self.receive)
        app.router.add_get("/api/v2/jobs", self.list_jobs)
        app.router.add_get("/api/v2/jobs/{job}", self.tell_job)
        app.router.add_get("/api/v2/jobs/{job}/cancel", self.cancel)
        app.router.add_get("/share/results/{job}/{name}", self.serve_file)
        return app

    async def receive(self, request: web.Request) -> web.StreamResponse:
        fault = "none" if self.calm else self._random.choices(list(self.faults), list(self.faults.values()))[0]
        self.told[fault] += 1
        if fault == "dropped in its body":
            await request.content.read(1000)
            return drop(request)
        form = await request.post()
        if fault == "dropped before it was accepted":
            return drop(request)
        if fault == "dropped, and accepted some seconds later":
            task = asyncio.create_task(self._accept_later(form, self._random.uniform(0.2, 1) * self.late_s))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
            return drop(request)
        job = self._accept(form)
        if fault == "dropped after it was accepted":
            return drop(request)
        if fault.startswith("answered late"):
            await asyncio.sleep(self._random.uniform(0.5, 1) * self.late_s)
        if fault.startswith("answered ") and fault != "answered late":
            return web.Response(status=int(fault.split()[1]), text="<html>proxy</html>", content_type="text/html")
        return web.json_response({"success": True, "message": "added", "id": job.id})

    def _accept(self, form: Any) -> AcceptedJob:
        job = AcceptedJob(
            f"job-20261122-120000-{len(self.jobs):03d}", str(form["job-name"]), str(form["password"]), time.monotonic()
        )
        self.jobs.append(job)
        return job

    async def _accept_later(self, form: Any, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        self._accept(form)

    def trouble(self, request: web.Request) -> web.Response | None:
        lot = 100.0 if self.calm else self._random.uniform(0, 100)
        if lot < TROUBLE_PERCENT / 2:
            return drop(request)
        return web.Response(status=502, text="<html>proxy</html>") if lot < TROUBLE_PERCENT else None

    async def tell_server(self, request: web.Request) -> web.Response:
        apps = [{"id": "imputationserver2@2.0.12", "name": "Imputation", "version": "2.0.12"}]
        return self.trouble(request) or web.json_response({"name": "Chaos", "apps": apps, "loggedIn": True})

    async def verify(self, request: web.Request) -> web.Response:
        answer = {"valid": True, "message": "fine", "username": "alice"}
        return self.trouble(request) or web.json_response(answer)

    async def list_jobs(self, request: web.Request) -> web.Response:
        page, size = int(request.query["page"]), 15
        newest = self.jobs[::-1]
        data = [self._show(job) for job in newest[(page - 1) * size : page * size]]
        following = page + 1 if page * size < len(newest) else None
        answer = {"count": len(newest), "page": page, "pageSize": size, "next": following, "data": data}
        return self.trouble(request) or web.json_response(answer)

    def _find(self, request: web.Request) -> AcceptedJob:
        return next(job for job in self.jobs if job.id == request.match_info["job"])

    async def tell_job(self, request: web.Request) -> web.Response:
        return self.trouble(request) or web.json_response(self._show(self._find(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        job = self._find(request)
        job.cancelled = True
        return web.json_response(self._show(job))

    async def serve_file(self, request: web.Request) -> web.Response:
        job, name = self._find(request), request.match_info["name"]
        self.downloads[f"{job.id}/{name}"] += 1
        return web.Response(body=job.archive if name.endswith(".zip") else b"all well\n")

    def _show(self, job: AcceptedJob) -> dict[str, Any]:
        age_s = time.monotonic() - job.accepted_at
        state = 6 if job.cancelled else 1 if age_s < self.pace_s else 2 if age_s < 2 * self.pace_s else 4
        files: list[dict[str, Any]] = []
        if state == 4:
            job.archive = job.archive or make_archive(job.password)
            sizes = {"chr_20.zip": len(job.archive), "qc_report.txt": 9}
            files = [{"name": n, "hash": job.id, "count": 10, "size": f"{size} bytes"} for n, size in sizes.items()]
        return {
            "id": job.id,
            "name": job.mark,
            "state": state,
            "positionInQueue": -1 if state > 3 else 0,
            "submittedOn": int((time.time() - age_s) * 1000),
            "steps": [],
            "outputParams": [{"id": 1, "name": "output", "files": files}],
        }


def drop(request: web.Request) -> web.Response:
    """The connection breaks off; nothing of the answer leaves."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@contextmanager
def serve_chaos(site: ChaosSite) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        runner = web.AppRunner(site.build(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
