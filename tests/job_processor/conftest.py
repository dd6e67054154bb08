from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from imputehub.local.postgresql import PostgresqlServer
from microservices.job_processor.logic.engine import Engine, start_engine
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.main import build
from microservices.job_processor.models import Run
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.job_processor.cloudgene_stub import TOKEN, CloudgeneStub, StubJob, build_site
from tests.job_processor.environment import make_settings
from tests.job_processor.peers_stub import PeersStub, build_peers

PANEL = uuid4()  # of the second site


@dataclass
class World:
    """job_processor with its database, a worker's engine, its peers and one site."""

    client: httpx.Client
    engine: Engine
    site: CloudgeneStub
    peers: PeersStub
    site_address: str
    authority: TokenAuthority

    def new_person(self, **about: Any) -> "Person":
        return Person(self, **about)


@dataclass
class Person:
    world: World
    user_id: UUID = field(default_factory=uuid4)
    organization_id: UUID = field(default_factory=uuid4)
    tier: str = "local"

    def __post_init__(self) -> None:
        self.headers = self.world.authority.person(
            user_id=self.user_id, organization_id=self.organization_id, tier=self.tier
        )
        self.world.peers.credentials[str(self.user_id), str(self.world.peers.service_id)] = TOKEN

    def add_file(self, **changes: Any) -> UUID:
        return self.world.peers.add_file(self.headers["Authorization"], **changes)

    def describe_targets(self) -> list[dict[str, str]]:
        """The site's two panels."""
        peers = self.world.peers
        panels = (peers.panel_id, peers.second_panel_id)
        return [{"service_id": str(peers.service_id), "panel_id": str(panel)} for panel in panels]

    def describe_job(self, **changes: Any) -> dict[str, Any]:
        targets = self.describe_targets()[:1]
        wish = {"name": "cohort A", "build": "hg38", "phasing": "no_phasing", "targets": targets} | changes
        if "input_file_ids" not in wish:
            wish["input_file_ids"] = [str(self.add_file())]
        return wish

    def post_job(self, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        wish = self.describe_job(**changes)
        return self.world.client.post("/api/v1/jobs", json=wish, headers=self.headers | (headers or {}))

    def submit_job(self, **changes: Any) -> tuple[str, UUID]:
        """(job, its only run)."""
        answer = self.post_job(**changes)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"], UUID(answer.json()["runs"][0]["id"])

    def get_run(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get_job(job_id)["runs"][0]
        return answer

    def get_job(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.client.get(f"/api/v1/jobs/{job_id}", headers=self.headers).json()
        return answer


@pytest.fixture(scope="session")
def database_url(postgresql: PostgresqlServer) -> str:
    url = postgresql.create_database()
    migrate_database("job_processor", url)
    return url


@pytest.fixture(scope="session")
def running_world(
    database_url: str, redis_url: str, authority: TokenAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    site, peers = CloudgeneStub(), PeersStub()
    with serve_app(build_site(site)) as site_address, serve_app(build_peers(peers, authority)) as peers_url:
        settings = make_settings(database_url, redis_url, peers_url, tmp_path_factory.mktemp("worker"))
        engine = start_engine(settings)
        with serve_app(build(settings)) as address, httpx.Client(base_url=address) as client:
            yield World(client, engine, site, peers, site_address, authority)
        engine.loop.run(engine.sites.close())
        engine.peers.close()
        engine.database.dispose()


@pytest.fixture
def world(running_world: World) -> World:
    """The servers stay; what they hold is new for each test."""
    vars(running_world.site).update(vars(CloudgeneStub()))
    vars(running_world.peers).update(vars(PeersStub(site_address=running_world.site_address)))
    running_world.engine.loop.run(running_world.engine.sites.close())
    running_world.engine.sites = Sites(running_world.engine.peers)
    with running_world.engine.database.transaction() as session:
        session.execute(text("TRUNCATE imputation_jobs, site_removals, outbox, inbox, idempotency_keys CASCADE"))
    return running_world


@pytest.fixture
def person(world: World) -> Person:
    return world.new_person()


@dataclass
class SecondSite:
    """Another site with one panel, beside the world's own."""

    stub: CloudgeneStub
    service_id: UUID
    record: dict[str, Any]

    def describe_choice(self) -> dict[str, str]:
        return {"service_id": str(self.service_id), "panel_id": str(PANEL)}


@pytest.fixture(scope="module")
def second_server() -> Iterator[tuple[CloudgeneStub, str]]:
    stub = CloudgeneStub()
    with serve_app(build_site(stub)) as address:
        yield stub, address


@pytest.fixture
def second(world: World, person: Person, second_server: tuple[CloudgeneStub, str]) -> SecondSite:
    stub, address = second_server
    vars(stub).update(vars(CloudgeneStub()))
    record = world.peers.describe_site()
    panel = record["site"]["panels"][0] | {"id": str(PANEL), "name": "Other panel", "panel_id": "apps@other@1.0.0"}
    service_id = uuid4()
    changes = {"id": str(service_id), "name": "Second site", "base_url": address, "country": "KE", "panels": [panel]}
    world.peers.others[service_id] = record | {"site": record["site"] | changes}
    world.peers.credentials[str(person.user_id), str(service_id)] = TOKEN
    return SecondSite(stub, service_id, world.peers.others[service_id])


def make_due(world: World, run_id: UUID) -> None:
    """Let the time until the run's next step have passed."""
    with world.engine.database.transaction() as session:
        run = session.get(Run, run_id)
        assert run is not None
        run.next_action_at = run.created_at


def let_age(world: World, run_id: UUID) -> None:
    """Let the submission be some minutes old."""
    with world.engine.database.transaction() as session:
        run = session.get(Run, run_id)
        assert run is not None
        assert run.submitted_at is not None
        run.submitted_at -= timedelta(minutes=5)


def poll(world: World, run_id: UUID) -> list[UUID]:
    make_due(world, run_id)
    ready: list[UUID] = []
    poll_due_runs(world.engine, ready.append).result(timeout=60)
    return ready


def bring_to_site(world: World, person: Person, **changes: Any) -> tuple[str, UUID]:
    job_id, run_id = person.submit_job(**changes)
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"
    return job_id, run_id


def bring_to_end(world: World, person: Person, output: dict[str, bytes] | None = None) -> tuple[str, UUID, StubJob]:
    """A run whose site has finished it, with `output` in place of the usual."""
    job_id, run_id = bring_to_site(world, person)
    job = world.site.jobs[-1]
    world.site.finish(job)
    job.output = job.output if output is None else output
    assert poll(world, run_id) == [run_id]
    return job_id, run_id, job
