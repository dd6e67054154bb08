"""A small Cloudgene site under a test's command: it counts what it is sent, and misbehaves when told to."""

import io
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyzipper
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse

TOKEN = "the-researchers-token"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass
class Gate:
    """Holds whoever comes by until it is opened; the test knows when somebody has come."""

    arrived: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def pass_through(self, *_visitor: object) -> None:
        self.arrived.set()
        assert self.opened.wait(120)

    def await_visitor(self) -> None:
        assert self.arrived.wait(60)


@dataclass
class StubJob:
    id: str
    name: str
    fields: dict[str, str]
    files: dict[str, bytes]
    state: int = 1
    position: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)
    output: dict[str, bytes] = field(default_factory=dict)


@dataclass
class CloudgeneStub:
    """What the site is like now; a test changes it between calls."""

    jobs: list[StubJob] = field(default_factory=list)
    received: int = 0
    maintenance: bool = False
    full: bool = False
    submission_answer: Callable[[], Response] | None = None
    token_valid: bool = True
    token: str = TOKEN
    username: str = "alice"
    downloads: dict[str, int] = field(default_factory=dict)
    spoilt: list[str] = field(default_factory=list)
    """Names of files whose next download is spoilt, one for each download."""
    download_answer: Callable[[], Response] | None = None
    log_answer: Callable[[], Response] | None = None
    sizes: dict[str, str] = field(default_factory=dict)
    allowed: int = 10
    """Downloads of each file; -1: the site does not count them."""
    hidden: bool = False
    denied: bool = False
    refuse_cancel: bool = False
    restarts: int = 0
    """How often a restart was asked for."""
    refuse_restart: bool = False
    restart_answer: Callable[[], Response] | None = None
    on_probe: Callable[[], None] = lambda: None
    on_submit: Callable[[StubJob], Response | None] = lambda job: None
    """Called with each job as it has come; what it gives is the site's answer."""
    on_details: Callable[[StubJob], None] = lambda job: None
    on_download: Callable[[str], None] = lambda name: None

    def find(self, job_id: str) -> StubJob:
        return next(job for job in self.jobs if job.id == job_id)

    def finish(self, job: StubJob) -> None:
        """Results lie ready, encrypted with the password that came with the job."""
        job.state, job.position = 4, -1
        job.output = {"chr_20.zip": make_archive(job.fields["password"]), "qc_report.txt": b"all well\n"}


def make_archive(
    password: str,
    names: tuple[str, ...] = ("chr20.dose.vcf.gz", "chr20.info.gz"),
    contents: dict[str, bytes] | None = None,
) -> bytes:
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for name in names:
            archive.writestr(name, (contents or {}).get(name, _BGZF_END))
    return buffer.getvalue()


def answer_with_a_page() -> Response:
    return HTMLResponse("<html>gateway</html>")


def build_site(stub: CloudgeneStub) -> FastAPI:
    app = FastAPI()

    @app.get("/api/v2/server")
    def server(request: Request) -> dict[str, Any]:
        stub.on_probe()
        answer: dict[str, Any] = {
            "name": "Stub",
            "apps": [{"id": "imputationserver2@2.0.12", "name": "Imputation", "version": "2.0.12"}],
            "loggedIn": request.headers.get("x-auth-token") == stub.token,
            "maintenace": stub.maintenance,
        }
        return answer | ({"maintenaceMessage": "back at noon"} if stub.maintenance else {})

    @app.post("/api/v2/tokens/verify")
    async def verify(request: Request) -> dict[str, Any]:
        form = await request.form()
        valid = stub.token_valid and form["token"] == stub.token
        return {"valid": valid, "message": "fine" if valid else "Invalid API Token.", "username": stub.username}

    @app.post("/api/v2/jobs/submit/{app_id}")
    async def submit(app_id: str, request: Request) -> Response:
        form = await request.form()
        if stub.full:
            message = "Only 2 jobs per user can be executed simultaneously."
            return JSONResponse({"success": False, "message": message}, status_code=400)
        uploads = {item.filename: await item.read() for item in form.getlist("files")}  # type: ignore[union-attr]
        fields = {name: str(value) for name, value in form.items() if name != "files"}
        stub.received += 1
        job_id = f"job-20261122-120000-{stub.received - 1:03d}"
        job = StubJob(job_id, fields["job-name"], fields, uploads)  # type: ignore[arg-type]
        stub.jobs.append(job)
        answer = await run_in_threadpool(stub.on_submit, job)
        if answer is not None:
            return answer
        if stub.submission_answer is not None:
            return stub.submission_answer()
        return JSONResponse({"success": True, "message": "added", "id": job_id})

    @app.get("/api/v2/jobs")
    def list_jobs() -> dict[str, Any]:
        shown = [] if stub.hidden else [view(job) for job in reversed(stub.jobs)]
        return {"count": len(shown), "page": 1, "pageSize": 15, "prev": None, "next": None, "pages": [1], "data": shown}

    @app.get("/api/v2/jobs/{job_id}")
    def details(job_id: str, request: Request) -> Any:
        job = stub.find(job_id)
        if request.headers.get("x-auth-token") != stub.token:
            return JSONResponse({"message": "Unauthorized"}, status_code=401)
        stub.on_details(job)
        if stub.denied:
            return JSONResponse({"success": False, "message": f"Job {job_id} not found."}, status_code=404)
        return Response(json.dumps(view(job)), media_type="application/json")  # also what is no Unicode text

    @app.get("/api/v2/jobs/{job_id}/cancel")
    def cancel(job_id: str) -> Any:
        job = stub.find(job_id)
        if stub.denied:
            return JSONResponse({"success": False, "message": f"Job {job_id} not found."}, status_code=404)
        if job.state in (1, 2, 3) and not stub.refuse_cancel:
            job.state, job.position = 6, -1
        return view(job)

    @app.get("/api/v2/jobs/{job_id}/restart")
    def restart(job_id: str) -> Any:
        job = stub.find(job_id)
        stub.restarts += 1
        if job.state != -1 or stub.refuse_restart:
            return JSONResponse({"success": False, "message": f"Job {job_id} is not pending."}, status_code=400)
        job.state, job.position = 1, 0
        if stub.restart_answer is not None:
            return stub.restart_answer()
        return {"success": True, "message": "Your job was successfully added to the job queue.", "type": 0, "time": 0}

    @app.get("/logs/{job_id}")
    def log(job_id: str) -> Response:
        if stub.log_answer is not None:
            return stub.log_answer()
        return Response(f"log of {job_id}: out of memory", media_type="text/plain")

    @app.get("/share/results/{file_hash}/{name:path}")
    def download(file_hash: str, name: str) -> Response:
        stub.on_download(name)
        if stub.download_answer is not None:
            return stub.download_answer()
        stub.downloads[name] = stub.downloads.get(name, 0) + 1
        job_id = file_hash.split(".")[0]
        content = stub.find(job_id).output[name]
        if name in stub.spoilt:
            stub.spoilt.remove(name)
            content = content[:100] + secrets.token_bytes(max(len(content) - 100, 1))
        return StreamingResponse(iter([content]))

    def view(job: StubJob) -> dict[str, Any]:
        files = [
            {
                "name": name,
                "path": name,
                "hash": f"{job.id}.{name.replace('/', '-')}",
                "count": stub.allowed - stub.downloads.get(name, 0) if stub.allowed > 0 else -1,
                "size": stub.sizes.get(name, f"{len(content)} bytes"),
            }
            for name, content in job.output.items()
        ]
        return {
            "id": job.id,
            "name": job.name,
            "application": "Genotype Imputation 2.0.12",
            "applicationId": "imputationserver2",
            "state": job.state,
            "positionInQueue": job.position,
            "submittedOn": int(time.time() * 1000),
            "startTime": 0,
            "endTime": 0,
            "currentTime": int(time.time() * 1000),
            "deletedOn": -1,
            "steps": job.steps,
            "outputParams": [{"id": 1, "name": "output", "download": True, "hash": "h", "files": files, "tree": []}],
            "username": "alice",
            "logs": "",
        }

    return app
