from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from imputehub.local.postgresql import PostgresqlServer
from microservices.file_manager.main import build
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.databases import create_migrated
from tests.file_manager.world import PeersStub, Person, World, make_settings


@pytest.fixture(scope="session")
def database_url(postgresql: PostgresqlServer) -> str:
    return create_migrated(postgresql, "file_manager")


@pytest.fixture(scope="session")
def running_world(
    database_url: str, authority: TokenAuthority, authority_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    peers, storage = PeersStub(), tmp_path_factory.mktemp("storage")
    with serve_app(peers.build()) as peers_url:
        settings = make_settings(database_url, storage, authority_url, peers_url)
        with serve_app(build(settings)) as address, httpx.Client(base_url=address, timeout=30) as client:
            yield World(client, settings, storage, peers, authority)


@pytest.fixture
def world(running_world: World) -> World:
    """The servers stay; what they hold is new for each test."""
    running_world.query(
        "TRUNCATE uploaded_files, file_metadata, result_files, input_links, ended_runs, loose_objects, outbox,"
        " outbox_versions, inbox, idempotency_keys"
    )
    for path in running_world.storage.iterdir():
        path.unlink()
    vars(running_world.peers).update(vars(PeersStub()))
    return running_world


@pytest.fixture
def person(world: World) -> Person:
    return world.new_person()


@pytest.fixture
def own_world(
    postgresql: PostgresqlServer, authority: TokenAuthority, authority_url: str, tmp_path: Path
) -> Iterator[World]:
    """A database and a storage for processes of the test's own; `client` is given its address by the test."""
    url, peers = create_migrated(postgresql, "file_manager"), PeersStub()
    with serve_app(peers.build()) as peers_url, httpx.Client(timeout=60, trust_env=False) as client:
        settings = make_settings(url, tmp_path / "storage", authority_url, peers_url, max_upload_size_mib=500)
        yield World(client, settings, tmp_path / "storage", peers, authority)
