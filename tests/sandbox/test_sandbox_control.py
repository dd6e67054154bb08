"""What a site can be told to do wrong, so that anybody can see what a client makes of it."""

import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pyzipper  # type: ignore[import-untyped]

from imputehub.client import PlatformError
from imputehub.commands.sandbox import call_control
from sandbox.cloudgene.control import read_key
from sandbox.cloudgene.pipeline.chunks import Chunk, lose_chunks
from sandbox.simulator import Simulation
from sandbox.vcf import read_haplotypes
from tests.sandbox.sandbox_site import RunningSite, SiteClient, find_result, texts

CALM: dict[str, Any] = {"faults": [], "maintenance": "", "paused": False}
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture(scope="module")
def troubled(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("troubled")
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    running = RunningSite(folder, ["alice"], "--settle-seconds", "0.05", "--chunk-size", "100000")
    yield running
    running.stop()


def tell(site: RunningSite, **wish: Any) -> dict[str, Any]:
    key = (site.data_dir / "control.key").read_text()
    return call_control(f"{site.url}/sandbox/control", key, wish)


def spoil(site: RunningSite, fault: str, **more: Any) -> None:
    tell(site, faults=[{"fault": fault, **more}])


@pytest.fixture(scope="module")
def alice(troubled: RunningSite) -> SiteClient:
    return troubled.log_in("alice")


@pytest.fixture(autouse=True)
def _calm(troubled: RunningSite) -> Iterator[None]:
    yield
    tell(troubled, **CALM)


@pytest.fixture(scope="module")
def done(troubled: RunningSite, alice: SiteClient, simulation: Simulation) -> dict[str, Any]:
    """A job that is a success, and of which the site has lost the middle."""
    spoil(troubled, "lose_chunk", times=1)
    return alice.wait_for_end(alice.submit(simulation.cohort))


def test_a_key_that_a_start_left_empty_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "control.key").touch()
    key = read_key(tmp_path / "control.key")
    assert len(key) > 20
    assert read_key(tmp_path / "control.key") == key


def test_nobody_controls_the_site_without_its_key(troubled: RunningSite) -> None:
    address = f"{troubled.url}/sandbox/control"
    assert (troubled.data_dir / "control.key").stat().st_mode & 0o077 == 0
    assert httpx.get(address).status_code == 401
    assert httpx.post(address, json=CALM, headers={"X-Sandbox-Key": "guess"}).status_code == 401
    with pytest.raises(PlatformError, match="400"):
        spoil(troubled, "no_such_fault")


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("error_500", 500, "application/json"),
        ("unavailable", 503, "text/html"),
        ("busy", 429, "text/html"),
        ("html", 200, "text/html"),
        ("half_json", 200, "application/json"),
    ],
)
def test_an_answer_can_be_spoilt_a_number_of_times(
    troubled: RunningSite, alice: SiteClient, fault: str, status: int, kind: str
) -> None:
    spoil(troubled, fault, on="list", times=2)
    for _ in range(2):
        answer = alice.http.get("/api/v2/jobs")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
        assert ("retry-after" in answer.headers) == (status in (429, 503))
        if fault == "half_json":
            with pytest.raises(json.JSONDecodeError):
                answer.json()
    assert alice.http.get("/api/v2/server").status_code == 200
    assert "data" in alice.http.get("/api/v2/jobs").json()


def test_a_connection_can_be_cut_or_left_to_hang(troubled: RunningSite, alice: SiteClient) -> None:
    spoil(troubled, "drop", on="server", times=1)
    with pytest.raises(BROKEN):
        alice.http.get("/api/v2/server")
    spoil(troubled, "hang", on="server", times=1)
    with pytest.raises(httpx.ReadTimeout):
        alice.http.get("/api/v2/server", timeout=httpx.Timeout(60, read=0.2))
    spoil(troubled, "slow", on="server", times=1)
    began = time.monotonic()
    assert "name" in alice.http.get("/api/v2/server").json()
    assert time.monotonic() - began > 0.2


def test_a_job_can_be_taken_without_an_answer_and_wait_as_long_as_it_shall(
    troubled: RunningSite, alice: SiteClient, done: dict[str, Any], simulation: Simulation
) -> None:
    tell(troubled, paused=True, faults=[{"fault": "drop_after_accept", "times": 1}])
    with pytest.raises(BROKEN):
        alice.post_job(simulation.cohort, job_name="lost answer", mode="qc_only")
    second = alice.submit(simulation.cohort, mode="qc_only")
    first = next(job for job in alice.http.get("/api/v2/jobs").json()["data"] if job["name"] == "lost answer")
    assert (first["state"], alice.read(second)["positionInQueue"]) == (1, 1)
    tell(troubled, max_jobs_per_user=2)
    assert "Only 2 jobs" in alice.post_job(simulation.cohort).json()["message"]
    tell(troubled, paused=False)
    assert [alice.wait_for_end(job)["state"] for job in (first["id"], second)] == [4, 4]


def download(alice: SiteClient, file: dict[str, Any]) -> bytes:
    return alice.http.get(f"/share/results/{file['hash']}/{file['name']}").content


def test_results_can_come_damaged_cut_or_of_another_size(
    troubled: RunningSite, alice: SiteClient, done: dict[str, Any]
) -> None:
    file = find_result(alice.read(done["id"]), "chr_20.zip")  # others may have downloaded it before
    whole = download(alice, file)
    spoil(troubled, "broken_download", times=1)
    with pytest.raises(BROKEN):
        download(alice, file)
    spoil(troubled, "truncated_archive", times=1)
    assert download(alice, file) == whole[: len(whole) // 2]
    spoil(troubled, "spoilt_archive", times=1)
    assert sum(a != b for a, b in zip(download(alice, file), whole, strict=True)) == 1
    spoil(troubled, "wrong_size", times=1)
    assert find_result(alice.read(done["id"]), "chr_20.zip")["size"] == "7 bytes"
    assert find_result(alice.read(done["id"]), "chr_20.zip")["count"] == file["count"] - 4


def test_a_pipeline_can_lose_chunks_without_a_word(alice: SiteClient, done: dict[str, Any], tmp_path: Path) -> None:
    assert done["state"] == 4
    assert "Chunks: 4" in texts(done, "Input Validation")
    assert "Warning" not in texts(done, "Quality Control")
    with pyzipper.AESZipFile(io.BytesIO(download(alice, find_result(done, "chr_20.zip")))) as archive:
        archive.setpassword(b"Abcdefghij1")
        (tmp_path / "dose.vcf.gz").write_bytes(archive.read("chr20.dose.vcf.gz"))
    chunks = {(position - 1) // 100_000 % 10 for position in read_haplotypes(tmp_path / "dose.vcf.gz").positions}
    assert chunks == {0, 3}


def test_whole_chromosomes_can_be_lost() -> None:
    chunks = [Chunk(f"chr{number}", start, start + 9, 9, 1.0, 0) for number in (1, 2) for start in (1, 11)]
    assert {chunk.contig for chunk in lose_chunks(chunks, "lose_chromosome")} == {"chr1"}
    assert lose_chunks(chunks, "") == chunks


def test_time_announces_the_deletion_deletes_and_ends_tokens(simulation: Simulation, tmp_path: Path) -> None:
    shutil.copytree(simulation.panel, tmp_path / "panels" / "simulated")
    site = RunningSite(tmp_path, ["alice"], "--settle-seconds", "0.05")
    try:
        alice = site.log_in("alice")
        job = alice.wait_for_end(alice.submit(simulation.cohort, mode="qc_only"))
        refused = alice.wait_for_end(alice.submit(simulation.cohort, mode="qc_only", phasing="nonsense", build="hg19"))
        assert refused["state"] == 5
        file = find_result(job, "qc_report.txt")
        tell(site, advance_days=5.5)
        assert [alice.read(one["id"])["state"] for one in (job, refused)] == [8, 9]
        assert alice.read(job["id"])["deletedOn"] == job["endTime"] + 7 * 24 * 3600 * 1000
        assert b"Statistics" in download(alice, file)
        tell(site, advance_days=2)
        assert alice.read(job["id"])["state"] == 7
        answer = alice.http.get(f"/share/results/{file['hash']}/{file['name']}")
        assert (answer.status_code, answer.json()["message"]) == (404, "File not found in workspace.")
        tell(site, advance_days=30)
        assert alice.http.get("/api/v2/jobs").status_code == 401
    finally:
        site.stop()
