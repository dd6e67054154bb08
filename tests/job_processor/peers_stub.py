"""Our other services as job_processor sees them, in one small real server."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from jose import jwt

from microservices.kernel.testing import TokenAuthority

QUALITY_FIELDS = ("build", "samples", "phased", "chromosomes", "sites_per_mb")


@dataclass
class PeersStub:
    site_address: str = ""
    service_id: UUID = field(default_factory=uuid4)
    panel_id: UUID = field(default_factory=uuid4)
    second_panel_id: UUID = field(default_factory=uuid4)
    site: dict[str, Any] = field(default_factory=dict)
    others: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    """What the catalogue has of more sites, by their ids."""
    capabilities: dict[str, Any] | None = None
    recipe: dict[str, Any] | None = None
    files: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    quality: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    contents: dict[UUID, bytes] = field(default_factory=dict)
    """What is in files, where a site looks into them."""
    credentials: dict[tuple[str, str], str] = field(default_factory=dict)
    stored: dict[tuple[str, str], bytes] = field(default_factory=dict)
    attempts: dict[str, str] = field(default_factory=dict)
    file_manager_down: bool = False
    archives: list[dict[str, Any]] = field(default_factory=list)
    """What was asked for as a zip."""
    curated_credential: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    cut_inputs: int = 0
    """So many times an input's bytes end half-way."""

    def add_file(self, owner: str, **changes: Any) -> UUID:
        file_id = uuid4()
        self.files[file_id] = {
            "id": str(file_id),
            "owner": owner,
            "filename": "cohort.vcf.gz",
            "size": 1000,
            "sha256": "0" * 64,
            "status": "ready",
            "created_at": "2026-11-22T12:00:00Z",
        } | {name: value for name, value in changes.items() if name in ("filename", "status", "size")}
        self.quality[file_id] = {
            "verdict": "pass",
            "build": "hg38",
            "chromosomes": ["chr20"],
            "samples": 50,
            "variants": 1500,
            "phased": True,
            "has_chr_prefix": True,
            "issues": [],
        } | {name: value for name, value in changes.items() if name in QUALITY_FIELDS}
        return file_id

    def describe_site(self) -> dict[str, Any]:
        panel = {
            "id": str(self.panel_id),
            "name": "Panel",
            "panel_id": "apps@panel@1.0.0",
            "populations": ["eur", "afr"],
            "build": "hg38",
            "recipe": self.recipe,
        }
        config = {"allow_private_network": True, "poll_first_s": 0.1, "hold_retry_s": 0.1}
        site = {
            "id": str(self.service_id),
            "name": "Stub site",
            "api_type": "michigan",
            "base_url": self.site_address,
            "country": "ZA",
            "api_config": config,
            "panels": [panel, panel | {"id": str(self.second_panel_id), "panel_id": "apps@second@1.0.0"}],
        }
        has_credential = self.curated_credential is not None
        record = {"is_available": True, "health_status": "healthy", "has_credential": has_credential}
        return record | {"site": site | self.site, "capabilities": self.capabilities}


def name_owner(file: dict[str, Any]) -> tuple[str, str]:
    """(user, organisation) of the token that the file was uploaded with."""
    claims = jwt.get_unverified_claims(file["owner"].removeprefix("Bearer "))
    return claims["sub"], claims["org"]


def build_peers(stub: PeersStub, authority: TokenAuthority) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/jwks.json")
    def publish_keys() -> dict[str, Any]:
        return {"keys": [authority.jwk]}

    @app.post("/api/v1/auth/token")
    def grant() -> dict[str, Any]:
        token = authority.service("job_processor")["Authorization"].removeprefix("Bearer ")
        return {"access_token": token, "token_type": "bearer", "expires_in": 3600}

    @app.post("/internal/inputs")
    async def list_inputs(request: Request) -> list[dict[str, Any]]:
        wish = await request.json()
        asked = [file_id for file_id in map(UUID, wish["file_ids"]) if file_id in stub.files]
        own = [
            file_id
            for file_id in asked
            if name_owner(stub.files[file_id]) == (wish["owner_id"], wish["organization_id"])
        ]
        return [{"file": stub.files[file_id], "quality": stub.quality[file_id]} for file_id in own]

    @app.get("/internal/files/{file_id}/content")
    def get_content(file_id: UUID) -> Response:
        content = stub.contents.get(file_id, b"v" * stub.files[file_id]["size"])
        if not stub.cut_inputs:
            return Response(content)
        stub.cut_inputs -= 1
        return StreamingResponse(iter([content[: len(content) // 2]]), headers={"Content-Length": str(len(content))})

    @app.get("/internal/sites/{service_id}")
    def get_site(service_id: UUID) -> Response:
        if service_id in stub.others:
            return JSONResponse(stub.others[service_id])
        if service_id != stub.service_id:
            return JSONResponse({"detail": "no such site"}, status_code=404)
        return JSONResponse(stub.describe_site())

    @app.post("/internal/site-credentials/resolve")
    async def resolve(request: Request) -> Response:
        body = await request.json()
        credential = stub.credentials.get((body["user_id"], body["service_id"]))
        return JSONResponse({"credential": credential}) if credential else Response(status_code=404)

    @app.post("/internal/sites/{service_id}/credential")
    def resolve_curated(service_id: UUID) -> Response:
        credential = stub.curated_credential
        return JSONResponse({"credential": credential}) if credential else Response(status_code=404)

    @app.post("/internal/events", status_code=204)
    async def receive(request: Request) -> Response:
        stub.events.append(await request.json())
        return Response(status_code=204)

    @app.post("/internal/results")
    async def store(request: Request) -> Response:
        if stub.file_manager_down:
            return Response(status_code=503)
        query = request.query_params
        if "/" in query["filename"] or len(query["filename"].encode()) > 255:
            return JSONResponse({"detail": "not a file name"}, status_code=400)
        content = await request.body()
        attempts = stub.attempts.setdefault(query["run_id"], query["attempt"])
        if attempts != query["attempt"]:  # as file_manager: a run has results of one attempt only
            for key in [key for key in stub.stored if key[0] == query["run_id"]]:
                del stub.stored[key]
            stub.attempts[query["run_id"]] = query["attempt"]
        stub.stored[query["run_id"], query["filename"]] = content
        return JSONResponse(show(query["run_id"], query["filename"], content), status_code=201)

    @app.get("/internal/results")
    def list_results(request: Request) -> list[dict[str, Any]]:
        wanted = request.query_params.getlist("run_id")
        return [show(run_id, name, content) for (run_id, name), content in stub.stored.items() if run_id in wanted]

    @app.post("/internal/results/archive")
    async def send_archive(request: Request) -> Response:
        stub.archives.append(await request.json())
        return Response(b"a zip") if not stub.file_manager_down else Response(status_code=503)

    @app.delete("/internal/results")
    def delete_results() -> Response:
        stub.stored.clear()
        return Response(status_code=204)

    def show(run_id: str, name: str, content: bytes) -> dict[str, Any]:
        return {
            "id": str(uuid4()),
            "run_id": run_id,
            "filename": name,
            "kind": "imputed_data",
            "size": len(content),
            "sha256": "0" * 64,
            "download_url": "http://127.0.0.1/x",
        }

    return app
