"""A job's results as one zip, made while it is sent."""

import asyncio
import io
import json
import subprocess
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from microservices.file_manager.logic.archive import CutObjectError, Entry, stream_archive
from microservices.file_manager.logic.storage import Storage
from tests.file_manager.world import MIB, Person, World, make_bytes, sha256_of, wait_until


def describe_archive(job_id: UUID, **runs: UUID) -> dict[str, Any]:
    listed = [{"folder": folder.replace("_", "-"), "run_id": str(run_id)} for folder, run_id in runs.items()]
    return {"job_id": str(job_id), "runs": listed}


def ask_archive(world: World, wish: dict[str, Any]) -> httpx.Response:
    return world.client.post("/internal/results/archive", json=wish, headers=world.authorize_service())


def test_all_results_come_in_the_folders_of_their_runs_with_their_checksums(
    world: World, person: Person, tmp_path: Path
) -> None:
    job_id, first, second = uuid4(), uuid4(), uuid4()
    contents = {"chr20.dose.vcf.gz": make_bytes(3 * MIB), "report é.txt": b"all well", "empty.log": b""}
    for name, content in contents.items():
        person.store_result(content, job_id=job_id, run_id=first, filename=name)
    person.store_result(b"other", job_id=job_id, run_id=second, filename="empty.log")
    person.store_result(b"foreign", run_id=uuid4())
    answer = ask_archive(world, describe_archive(job_id, one=first, two=second))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {info.filename: archive.read(info) for info in archive.infolist()}
        archive.extractall(tmp_path)
    expected = {f"one/{name}": content for name, content in contents.items()} | {"two/empty.log": b"other"}
    manifest = json.loads(found.pop("manifest.json"))
    found.pop("SHA256SUMS")
    assert found == expected
    listed = {file["path"]: (file["size"], file["sha256"], file["kind"]) for file in manifest["files"]}
    assert listed == {name: (len(data), sha256_of(data), "imputed_data") for name, data in expected.items()}
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_runs_of_another_job_or_without_results_give_no_archive(world: World, person: Person) -> None:
    job_id, run_id = uuid4(), uuid4()
    person.store_result(b"x", job_id=job_id, run_id=run_id)
    for wish in (describe_archive(uuid4(), one=run_id), describe_archive(job_id, one=uuid4())):
        answer = ask_archive(world, wish)
        assert (answer.status_code, answer.json()["code"]) == (404, "results_not_found")
    assert ask_archive(world, describe_archive(job_id, **{"../up": run_id})).status_code == 400


def test_people_are_not_let_in(world: World, person: Person) -> None:
    wish = describe_archive(uuid4(), one=uuid4())
    assert world.client.post("/internal/results/archive", json=wish, headers=person.headers).status_code == 403


def test_a_reader_who_leaves_leaves_nothing_behind(world: World, person: Person) -> None:
    job_id, run_id = uuid4(), uuid4()
    for number in range(3):
        person.store_result(make_bytes(8 * MIB), job_id=job_id, run_id=run_id, filename=str(number))
    objects, process = world.count_objects(), psutil.Process()
    folder = str(world.storage)
    wish = describe_archive(job_id, one=run_id)
    stream = world.client.stream("POST", "/internal/results/archive", json=wish, headers=world.authorize_service())
    with stream as answer:
        next(answer.iter_raw())
    wait_until(lambda: not [file for file in process.open_files() if file.path.startswith(folder)])
    assert world.count_objects() == objects


class CutStorage:
    """Gives one byte less than it should."""

    async def read(self, _object_id: UUID, start: int, stop: int) -> AsyncIterator[bytes]:
        async def give() -> AsyncIterator[bytes]:
            yield bytes(stop - start - 1)

        return give()


def test_an_archive_breaks_off_rather_than_lie() -> None:
    entry = Entry("one/file", uuid4(), uuid4(), "log", 100, "0" * 64, datetime.now(UTC))

    async def read() -> None:
        async for _chunk in stream_archive(cast("Storage", CutStorage()), uuid4(), [entry]):
            pass

    with pytest.raises(CutObjectError):
        asyncio.run(read())
