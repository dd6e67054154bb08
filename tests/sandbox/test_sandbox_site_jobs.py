"""Jobs on a site over real HTTP: from submission to decrypted results, and all that can go wrong."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pysam
import pytest
import pyzipper  # type: ignore[import-untyped]

from sandbox.accuracy import score
from sandbox.simulator import Simulation
from tests.sandbox.sandbox_site import JOB_SECONDS, Json, RunningSite, SiteClient, find_result, texts
from tests.waiting import wait_until

FLOW = [1, 2, 3, 4]


def watch_to_end(client: SiteClient, job_id: str) -> list[Json]:
    """Every look at the job until it left the engine."""
    looks: list[Json] = []

    def look() -> bool:
        looks.append(client.read(job_id))
        return bool(looks[-1]["positionInQueue"] == -1)

    wait_until(look, within_s=JOB_SECONDS)
    return looks


def test_a_job_runs_to_results_that_are_accurate(site: RunningSite, simulation: Simulation, tmp_path: Path) -> None:
    client = site.log_in("alice")
    job_id = client.submit(simulation.cohort, aesEncryption="yes", job_name="first")
    looks = watch_to_end(client, job_id)
    states = [look["state"] for look in looks]
    assert sorted(set(states)) == sorted(set(states) & set(FLOW))
    assert states == sorted(states)
    assert {2, 3, 4} <= set(states)

    early = next(look for look in looks if look["state"] == 4)
    assert early["positionInQueue"] == 0
    assert all(step["id"] == 0 for step in early["steps"])
    done = looks[-1]
    assert done["name"] == "first"
    assert done["steps"][0]["name"] == "Input Validation"
    assert all(step["id"] > 0 for step in done["steps"])
    assert "Reference Panel: simulated-hg38 (hg38)" in texts(done, "Input Validation", 0)
    assert "Typed only" not in texts(done, "Quality Control")
    assert "<b>Imputation (2/2)</b>" in texts(done, "Phasing and Imputation", 0)
    assert any("(1/2)" in texts(look, "Phasing and Imputation", 3) for look in looks)
    with closing(sqlite3.connect(site.data_dir / "site.sqlite3")) as database:
        (kept,) = database.execute("SELECT document FROM jobs WHERE id = ?", (job_id,)).fetchone()
    assert "Abcdefghij1" not in kept  # the password of the results is forgotten with the job's end
    assert_results(site, client, done, simulation, tmp_path)


def assert_results(site: RunningSite, client: SiteClient, job: Json, simulation: Simulation, tmp_path: Path) -> None:
    entry = find_result(job, "chr_20.zip")
    answer = client.http.get(f"/share/results/{entry['hash']}/any-name", headers={"X-Auth-Token": ""})
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    archive = tmp_path / "chr_20.zip"
    archive.write_bytes(answer.content)
    with pyzipper.AESZipFile(archive) as opened:
        opened.extractall(tmp_path, pwd=b"Abcdefghij1")
        with pytest.raises(RuntimeError):
            opened.read("chr20.info.gz", pwd=b"wrong")
    with pysam.VariantFile(str(tmp_path / "chr20.info.gz")) as info:
        assert "##mis_panel=simulated-hg38" in str(info.header)
    bins = score(tmp_path / "chr20.dose.vcf.gz", simulation.truth, simulation.cohort, simulation.panel)
    assert bins[-1].r2 is not None
    assert bins[-1].r2 > 0.95


def test_shared_links_work_only_after_the_job_left_the_engine(site: RunningSite, simulation: Simulation) -> None:
    client = site.log_in("bob")
    job_id = client.submit(simulation.cohort, mode="qc_only")
    early = client.wait_for_state(job_id, 4)
    assert early["positionInQueue"] == 0
    report = find_result(early, "qc_report.txt")
    shared = f"/share/results/{report['hash']}/qc_report.txt"
    assert client.http.get(shared).json() == {"message": "download not found.", "success": False}
    assert "Statistics:" in client.http.get(f"/downloads/{job_id}/{report['hash']}/x").text
    done = client.wait_for_end(job_id)
    assert {file["name"] for file in done["outputParams"][0]["files"]} >= {"qc_report.txt", "quality-control.html"}
    assert not [file for file in done["outputParams"][0]["files"] if file["name"].endswith(".zip")]
    assert_downloads_are_counted(client, job_id, shared)


def assert_downloads_are_counted(client: SiteClient, job_id: str, shared: str) -> None:
    """Of three, one is gone; a HEAD uses up one as well, and the rest goes by browsing."""
    assert find_result(client.read(job_id), "qc_report.txt")["count"] == 2
    assert client.http.head(shared).status_code == 200
    output = client.read(job_id)["outputParams"][0]["hash"]
    assert client.http.get(f"/browse/{output}/qc_report.txt").status_code == 200
    assert client.http.get(shared).status_code == 400
    assert client.http.get(shared).json()["message"] == "number of max downloads exceeded."
    assert client.http.get(f"/share/results/{'0' * 64}/x").status_code == 404
    assert shared in client.http.get(f"/get/{output}").text


def test_an_unknown_panel_gives_a_job_that_fails_at_once_without_steps(
    site: RunningSite, simulation: Simulation
) -> None:
    client = site.log_in("carol")
    job = client.read(client.submit(simulation.cohort, refpanel="Simulated out-of-Africa (GRCh38/hg38)"))
    assert (job["state"], job["steps"], job["positionInQueue"]) == (5, [], -1)
    log = client.http.get(f"/logs/{job['id']}")
    assert "is not installed or wrong permissions." in log.text
    assert log.headers["content-type"].startswith("text/plain")
    assert "Abcdefghij1" not in log.text


def test_unphased_data_fails_in_the_words_of_the_site(site: RunningSite, unphased_cohort: Path) -> None:
    client = site.log_in("carol")
    without, eagle = client.submit(unphased_cohort), client.submit(unphased_cohort, phasing="eagle")
    refused = client.wait_for_end(without)
    assert refused["state"] == 5
    assert "Please select an algorithm for phasing." in texts(refused, "Input Validation", 1)
    assert "Imputation job failed." in texts(refused, "Summary", 1)
    assert "has no phasing engine" in texts(client.wait_for_end(eagle), "Input Validation", 1)


def test_a_running_job_can_be_cancelled_and_its_processes_end(site: RunningSite, simulation: Simulation) -> None:
    client = site.log_in("dave")
    job_id = client.submit(simulation.cohort)
    client.wait_for_state(job_id, 2)
    wait_until(lambda: any(pipelines(site)), within_s=60)
    assert client.http.get(f"/api/v2/jobs/{job_id}/cancel").json()["state"] == 6
    states = [look["state"] for look in watch_to_end(client, job_id)]
    assert states[-1] == 6
    assert set(states) <= {5, 6}
    assert "Pipeline execution canceled." in texts(client.read(job_id), "Summary", 1)
    wait_until(lambda: not pipelines(site), within_s=60)
    again = client.http.get(f"/api/v2/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["state"]) == (200, 6)


def pipelines(site: RunningSite) -> list[psutil.Process]:
    return psutil.Process(site.process.pid).children(recursive=True)


def test_jobs_wait_are_limited_and_die_with_the_site(simulation: Simulation, tmp_path: Path) -> None:
    alone = RunningSite(tmp_path, ["alice", "bob"], "--settle-seconds", "0.05", "--slots", "1")
    try:
        (tmp_path / "panels" / "p").symlink_to(simulation.panel)
        alice, bob = alone.log_in("alice"), alone.log_in("bob")
        first, second = alice.submit(simulation.cohort, mode="qc_only"), alice.submit(simulation.cohort)
        third = bob.submit(simulation.cohort)
        assert alice.post_job(simulation.cohort).status_code == 400
        assert [bob.read(third)["state"], bob.read(third)["positionInQueue"]] == [1, 1]
        assert alice.http.get(f"/api/v2/jobs/{second}/cancel").json()["state"] == 6
        assert bob.read(third)["positionInQueue"] == 0
        alice.wait_for_end(first)
        bob.wait_for_state(third, 2)
        orphans = pipelines(alone)
        alone.kill()
        psutil.wait_procs(orphans, timeout=60)
        assert not any(orphan.is_running() for orphan in orphans)
        alone.start()
        assert_dead_job_restarts(bob, third)
        assert alice.read(first)["state"] == 4
        assert alice.http.get(f"/api/v2/jobs/{first}/restart").json()["message"] == f"Job {first} is not pending."
    finally:
        alone.stop()


def assert_dead_job_restarts(client: SiteClient, job_id: str) -> None:
    dead = client.read(job_id)
    assert (dead["state"], dead["positionInQueue"]) == (-1, -1)
    assert client.http.get(f"/api/v2/jobs/{job_id}/restart").json()["success"] is True
    assert client.wait_for_end(job_id)["state"] == 4


def test_the_list_hides_details_and_deleted_jobs(site: RunningSite, simulation: Simulation) -> None:
    client = site.log_in("erin")
    ids = [client.submit(simulation.cohort, refpanel="none", job_name=f"run-{n}") for n in range(17)]
    whole = client.http.get("/api/v2/jobs").json()
    assert [job["id"] for job in whole["data"]] == sorted(ids, reverse=True)
    assert all((job["steps"], job["username"]) == ([], None) for job in whole["data"])
    second = client.http.get("/api/v2/jobs?page=2").json()
    assert (second["count"], second["pageSize"], len(second["data"])) == (17, 15, 2)
    assert (second["prev"], second["next"], second["pages"]) == (1, None, [1, 2])
    assert client.http.get("/api/v2/jobs?page=two").status_code == 400
    assert client.http.delete(f"/api/v2/jobs/{ids[0]}").status_code == 403
    assert client.browser.delete(f"/api/v2/jobs/{ids[0]}").json()["state"] == 10
    assert client.http.get(f"/api/v2/jobs/{ids[0]}").json()["message"] == f"Job {ids[0]} not found."
    assert client.http.get("/api/v2/jobs").json()["count"] == 16


def test_jobs_of_others_are_denied(site: RunningSite, simulation: Simulation) -> None:
    owner, other = site.log_in("frank"), site.log_in("grace")
    job_id = owner.submit(simulation.cohort, refpanel="none")
    for path in (f"/api/v2/jobs/{job_id}", f"/api/v2/jobs/{job_id}/cancel", f"/logs/{job_id}"):
        answer = other.http.get(path)
        assert (answer.status_code, answer.json()) == (403, {"message": "Access denied.", "success": False})
    assert other.http.get("/api/v2/jobs").json() == {
        "count": 0, "page": 0, "pageSize": 1, "prev": None, "next": None, "pages": [], "data": [],
    }  # fmt: skip


def test_without_a_password_one_is_made_and_told(site: RunningSite, simulation: Simulation, tmp_path: Path) -> None:
    client = site.log_in("heidi")
    job = client.wait_for_end(client.submit(simulation.cohort, password=""))
    told = texts(job, "Summary", 0)
    password = told.split("<b>")[1].split("</b>")[0]
    assert "AES-256" in texts(job, "Phasing and Imputation", 2)
    entry = find_result(job, "chr_20.zip")
    archive = tmp_path / "result.zip"
    archive.write_bytes(client.http.get(f"/share/results/{entry['hash']}/chr_20.zip").content)
    with pyzipper.AESZipFile(archive) as opened:
        assert opened.read("chr20.info.gz", pwd=password.encode())
