"""The service as a real process: its memory, its log, and what is left when it is killed or its disk is full."""

import http.client
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from microservices.file_manager.main import build
from microservices.file_manager.settings import Settings
from microservices.kernel.testing import serve_app
from tests.file_manager.process import run_service, stop_checker
from tests.file_manager.raw import half_request
from tests.file_manager.world import (
    GOOD_VCF,
    MIB,
    Person,
    World,
    make_bytes,
    sha256_of,
    wait_until,
)

BLOCK = make_bytes(MIB)


def download(address: str, headers: dict[str, str], path: str) -> int:
    """How many bytes came, without keeping them."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", path, headers=headers)
    answer, size = connection.getresponse(), 0
    while piece := answer.read(MIB):
        size += len(piece)
    connection.close()
    return size


def test_memory_does_not_depend_on_the_length_of_a_file(own_world: World, tmp_path: Path) -> None:
    person = own_world.new_person()
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        for blocks in (8, 96):  # the first warms connections and allocators
            before = service.read_memory()
            file = person.upload(iter([BLOCK] * blocks)).json()
            assert file["size"] == blocks * MIB
            assert download(service.address, person.headers, f"/api/v1/files/{file['id']}/content") == blocks * MIB
            growth = service.read_memory() - before
    assert growth < 12 * MIB


def test_the_log_has_no_signatures_tokens_or_names(own_world: World, tmp_path: Path) -> None:
    person = own_world.new_person()
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        file = person.upload(filename="private-name.vcf.gz").json()
        url = own_world.client.post(f"/api/v1/files/{file['id']}/download-url", headers=person.headers).json()["url"]
        parts = urlsplit(url)
        assert own_world.client.get(f"{parts.path}?{parts.query}").content == GOOD_VCF
        assert own_world.client.get(f"{parts.path}?{parts.query}x").status_code == 403
    log = service.log.read_text()
    assert f"/api/v1/files/{file['id']}/content" in log
    for secret in ("signature", "expires=", "Bearer", "private-name"):
        assert secret not in log


def test_what_a_killed_process_left_is_swept_by_the_next(own_world: World, tmp_path: Path) -> None:
    person, data = own_world.new_person(), make_bytes(4 * MIB)
    path = "/api/v1/files?filename=cohort.vcf.gz"
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        kept = person.upload().json()
        with half_request(service.address, path, person.headers, data, 8 * MIB):
            wait_until(lambda: own_world.count_objects() == 2)
            service.kill()
    assert own_world.count_objects() == 2
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        wait_until(lambda: own_world.count_objects() == 1)
        wait_until(lambda: not own_world.query("SELECT 1 FROM loose_objects"))
        assert person.get(f"/api/v1/files/{kept['id']}/content").content == GOOD_VCF


def test_an_upload_to_one_process_is_not_swept_by_another(own_world: World, tmp_path: Path) -> None:
    person, data = own_world.new_person(), make_bytes(2 * MIB)
    path = "/api/v1/files?filename=cohort.vcf.gz"
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        with half_request(service.address, path, person.headers, data[:MIB], len(data)) as connection:
            wait_until(lambda: own_world.query("SELECT 1 FROM loose_objects"))
            with serve_app(build(own_world.settings)):
                own_world.wait_swept()
                connection.sendall(data[MIB:])
                assert connection.recv(65536).decode().startswith("HTTP/1.1 201")
        shas = {item["sha256"] for item in person.get("/api/v1/files").json()["items"]}
    assert sha256_of(data) in shas


def test_a_file_whose_checker_was_killed_is_checked_by_the_next_process(own_world: World, tmp_path: Path) -> None:
    person = own_world.new_person()
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        file = person.upload().json()
        checker = stop_checker(service.process.pid)
        wait_until(lambda: person.get(f"/api/v1/files/{file['id']}").json()["status"] == "checking")
        service.kill()
    checker.kill()
    with run_service(own_world.settings, tmp_path / "log") as service:
        own_world.client.base_url = httpx.URL(service.address)
        assert person.wait_checked(file["id"])["status"] == "ready"
        wait_until(lambda: own_world.peers.events)
    assert [event["data"]["status"] for event in own_world.peers.events] == ["ready"]


def test_a_file_size_limit_is_told_as_a_full_storage_and_leaves_nothing(own_world: World, tmp_path: Path) -> None:
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        pytest.skip("prlimit is not on the PATH: a write that fails cannot be had this way")
    person = own_world.new_person()
    with run_service(own_world.settings, tmp_path / "log", prefix=(prlimit, f"--fsize={3 * MIB}")) as service:
        own_world.client.base_url = httpx.URL(service.address)
        expect_full(own_world, person)


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to fill")
    place = Path(tempfile.mkdtemp(prefix="imputehub-tiny-disk-"))
    mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True)
    if mounting.returncode != 0:
        place.rmdir()
        pytest.skip(f"a small disk cannot be mounted here: {mounting.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)
    place.rmdir()


def test_a_full_disk_is_told_and_leaves_nothing(own_world: World, tiny_disk: Path) -> None:
    storage = tiny_disk / "storage"
    settings: Settings = own_world.settings.model_copy(update={"storage_url": storage.as_uri()})
    world = World(own_world.client, settings, storage, own_world.peers, own_world.authority)
    person = world.new_person()
    with serve_app(build(settings)) as address:
        world.client.base_url = httpx.URL(address)
        expect_full(world, person)


def expect_full(world: World, person: Person) -> None:
    """5 MiB do not fit, in whatever way they come; 1 MiB does, before and after."""
    for body in (make_bytes(5 * MIB), iter([BLOCK] * 5)):
        answer = person.upload(body)
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.text
        assert world.is_empty()
    result = person.store_result(iter([BLOCK] * 5))
    assert result.status_code == 507
    assert world.is_empty()
    assert person.upload(BLOCK).status_code == 201
