"""file_manager served over real HTTP, on real disk and PostgreSQL, with job_processor and notification as stubs."""

import base64
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from microservices.file_manager.settings import Settings
from microservices.kernel.testing import TokenAuthority
from tests.preflight.vcf_files import bgzip, make_vcf

Value = TypeVar("Value")
GOOD_VCF = bgzip(make_vcf())
MIB = 1 << 20


def wait_until(look: Callable[[], Value], seconds: float = 60) -> Value:
    """What `look` gives once it is true; fails when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.02)
    return seen


@dataclass
class PeersStub:
    """job_processor's answer about usage, and the events that notification was sent."""

    in_use: bool = False
    usage_status: int = 200
    asked_with: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    def build(self) -> FastAPI:
        app = FastAPI()

        @app.get("/internal/files/{file_id}/usage")
        def tell_usage(file_id: UUID, request: Request) -> Response:
            self.asked_with = request.headers["authorization"]
            if self.usage_status == 204:
                return Response(status_code=204)
            return JSONResponse({"in_use": self.in_use}, status_code=self.usage_status)

        @app.post("/internal/events", status_code=204)
        async def receive(request: Request) -> Response:
            self.events.append(await request.json())
            return Response(status_code=204)

        return app


@dataclass
class World:
    """The running service, and what stands behind it."""

    client: httpx.Client
    settings: Settings
    storage: Path
    peers: PeersStub
    authority: TokenAuthority

    def new_person(self) -> "Person":
        return Person(self)

    def authorize_service(self) -> dict[str, str]:
        return self.authority.service("job_processor")

    @property
    def address(self) -> str:
        return str(self.client.base_url)

    def count_objects(self) -> int:
        """Everything in the storage, also what interrupted writes leave."""
        return len(list(self.storage.iterdir()))

    def query(self, statement: str, **values: Any) -> list[Any]:
        engine = create_engine(self.settings.database_url.get_secret_value())
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            rows = list(result) if result.returns_rows else []
        engine.dispose()
        return rows

    def wait_swept(self) -> None:
        """Until the storage was swept once more, beginning now: what nobody is writing is gone."""
        self.query("INSERT INTO loose_objects VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid())")
        wait_until(lambda: not self.query("SELECT 1 FROM loose_objects WHERE written_by IS NULL"))

    def is_empty(self) -> bool:
        """Neither object nor row nor note of one."""
        tables = ("uploaded_files", "file_metadata", "result_files", "loose_objects", "idempotency_keys")
        return self.count_objects() == 0 and all(self.query(f"SELECT count(*) FROM {t}")[0][0] == 0 for t in tables)


@dataclass
class Person:
    world: World
    user_id: UUID = field(default_factory=uuid4)
    organization_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.headers = self.world.authority.person(user_id=self.user_id, organization_id=self.organization_id)

    def upload(
        self, data: Any = GOOD_VCF, filename: str = "cohort.vcf.gz", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return self.world.client.post(
            "/api/v1/files", params={"filename": filename}, content=data, headers=self.headers | (headers or {})
        )

    def upload_checked(self, data: bytes = GOOD_VCF, filename: str = "cohort.vcf.gz") -> dict[str, Any]:
        answer = self.upload(data, filename)
        assert answer.status_code == 201, answer.text
        return self.wait_checked(answer.json()["id"])

    def wait_checked(self, file_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            file: dict[str, Any] = self.get(f"/api/v1/files/{file_id}").json()
            return file if file["status"] in ("ready", "rejected") else None

        found = wait_until(look)
        assert found is not None
        return found

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.world.client.get(path, headers=self.headers | (headers or {}))

    def delete(self, file_id: str) -> httpx.Response:
        return self.world.client.delete(f"/api/v1/files/{file_id}", headers=self.headers)

    def list_inputs(self, *file_ids: str) -> list[dict[str, Any]]:
        """As job_processor asks for them when this person submits a job."""
        owner = {"organization_id": str(self.organization_id), "owner_id": str(self.user_id)}
        headers = self.world.authorize_service()
        answer = self.world.client.post("/internal/inputs", json=owner | {"file_ids": file_ids}, headers=headers)
        assert answer.status_code == 200, answer.text
        records: list[dict[str, Any]] = answer.json()
        return records

    def describe_result(self, **changes: Any) -> dict[str, str]:
        query = {
            "organization_id": self.organization_id,
            "owner_id": self.user_id,
            "job_id": uuid4(),
            "run_id": uuid4(),
            "filename": "chr20.dose.vcf.gz",
            "kind": "imputed_data",
        }
        return {name: str(value) for name, value in (query | changes).items()}

    def store_result(self, data: Any, **changes: Any) -> httpx.Response:
        query = self.describe_result(**changes)
        return self.world.client.post(
            "/internal/results", params=query, content=data, headers=self.world.authorize_service()
        )


def make_bytes(size: int) -> bytes:
    return os.urandom(size)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_settings(database_url: str, storage: Path, authority_url: str, peers_url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": SecretStr(database_url),
        "client_secret": SecretStr("unused"),
        "redis_url": SecretStr("redis://127.0.0.1:1/0"),
        "authority_url": authority_url,
        "storage_url": storage.as_uri(),
        "url_signing_keys": SecretStr(f"k1:{base64.b64encode(bytes(range(32))).decode()}"),
        "max_upload_size_mib": 5,
        "upload_idle_s": 2,
        "sweep_every_s": 0.3,
        "job_processor_url": peers_url,
        "notification_url": peers_url,
    }
    return Settings(**(values | changes))
