"""What the WES site does, seen from outside."""

import functools
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from imputehub.local.children import find_free_port
from sandbox.accuracy import score
from sandbox.simulator import Simulation
from tests.sandbox_wes.wes_site import RunningWes, wait_until_gone


@pytest.fixture
def file_server(simulation: Simulation) -> Iterator[str]:
    """Serves the cohort's folder over HTTP."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(simulation.cohort.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_attachment_is_imputed_and_its_results_are_downloaded(
    site: RunningWes, simulation: Simulation, tmp_path: Path
) -> None:
    found = site.wait_for_end(site.submit(simulation.cohort))
    assert found["state"] == "COMPLETE", found["run_log"]
    assert found["run_log"]["exit_code"] == 0
    outputs = {output["file_name"]: output["file_url"] for output in found["outputs"]}
    assert set(outputs) == {"chr20.dose.vcf.gz", "chr20.info.gz"}
    imputed = tmp_path / "chr20.dose.vcf.gz"
    imputed.write_bytes(httpx.get(outputs["chr20.dose.vcf.gz"]).content)
    common = score(imputed, simulation.truth, simulation.cohort, simulation.panel)[-1]
    assert common.r2 is not None
    assert common.r2 > 0.8


def test_a_target_is_fetched_from_an_address_that_no_log_tells(site: RunningWes, file_server: str) -> None:
    url = f"{file_server}/cohort.vcf.gz?signature=s3cret"
    found = site.wait_for_end(site.submit(None, targets=[url]))
    assert found["state"] == "COMPLETE", found["run_log"]
    assert "s3cret" not in json.dumps(found["run_log"])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"panel": "unknown"}, "This site has no panel 'unknown'. It has: simulated-hg38."),
        ({"build": "hg19"}, "The data are hg19, but the panel is hg38; there is no lift-over."),
        ({"targets": ["../../state.txt"]}, "is neither an attachment of the run nor an http(s) address."),
        ({"targets": []}, "workflow_params.targets must be a file, or a list of files."),
        ({"r2_filter": "much"}, "workflow_params.r2_filter is not a number: 'much'."),
    ],
)
def test_a_run_that_makes_no_sense_is_an_executor_error_that_says_why(
    site: RunningWes, simulation: Simulation, parameters: dict[str, object], words: str
) -> None:
    found = site.wait_for_end(site.submit(simulation.cohort, **parameters))
    assert found["state"] == "EXECUTOR_ERROR"
    assert found["run_log"]["exit_code"] == 2
    assert words in found["run_log"]["stderr"]


def test_unphased_data_are_the_input_s_fault(site: RunningWes, unphased_cohort: Path) -> None:
    found = site.wait_for_end(site.submit(unphased_cohort))
    assert found["state"] == "EXECUTOR_ERROR"
    assert "Your input data is unphased." in found["run_log"]["stderr"]


def test_a_target_that_is_refused_is_told_without_its_address(site: RunningWes, file_server: str) -> None:
    found = site.wait_for_end(site.submit(None, targets=[f"{file_server}/absent.vcf.gz?signature=s3cret"]))
    assert found["state"] == "EXECUTOR_ERROR"
    assert found["run_log"]["stderr"].strip() == "The target could not be fetched: 127.0.0.1 answered 404."


def test_a_network_that_fails_is_the_site_s_fault(site: RunningWes) -> None:
    found = site.wait_for_end(site.submit(None, targets=[f"http://127.0.0.1:{find_free_port()}/cohort.vcf.gz"]))
    assert found["state"] == "SYSTEM_ERROR"
    assert found["run_log"]["system_logs"] == ["The site failed: URLError."]


def test_only_its_own_workflow_type_is_taken(site: RunningWes) -> None:
    info = httpx.get(f"{site.url}/service-info").json()
    assert info["workflow_type_versions"] == {"SANDBOX": {"workflow_type_version": ["1.0"]}}
    form = {"workflow_type": "CWL", "workflow_type_version": "v1.2", "workflow_engine": "sandbox", "workflow_url": "x"}
    assert httpx.post(f"{site.url}/runs", data=form).status_code == 400


def test_a_cancel_ends_the_engine_with_all_its_processes(slow_site: RunningWes, simulation: Simulation) -> None:
    run = slow_site.submit(simulation.cohort)
    processes = slow_site.find_processes(run)
    assert len(processes) >= 2
    httpx.post(f"{slow_site.url}/runs/{run}/cancel").raise_for_status()
    found = slow_site.wait_for_end(run)
    assert (found["state"], found["run_log"]["exit_code"]) == ("CANCELED", 138)
    wait_until_gone(processes)


def test_a_killed_site_leaves_no_engine_behind_and_says_so_when_it_is_back(
    slow_site: RunningWes, simulation: Simulation
) -> None:
    run = slow_site.submit(simulation.cohort)
    processes = slow_site.find_processes(run)
    slow_site.kill()
    wait_until_gone(processes)
    slow_site.start()
    found = slow_site.read(run)
    assert found["state"] == "SYSTEM_ERROR"
    assert found["run_log"]["system_logs"] == ["The site was stopped while the run was at work."]


def test_an_engine_that_is_killed_is_the_site_s_fault(slow_site: RunningWes, simulation: Simulation) -> None:
    run = slow_site.submit(simulation.cohort)
    processes = slow_site.find_processes(run)
    assert len(processes) >= 2, "the run's script and its engine"
    processes[1].kill()
    found = slow_site.wait_for_end(run)
    assert found["state"] == "SYSTEM_ERROR"
    assert found["run_log"]["system_logs"] == ["The engine was ended by signal 9."]
    wait_until_gone(processes)


def test_accounts_see_nothing_without_a_token(simulation: Simulation, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps([{"username": "alice", "password": "correct-horse-1", "mail": "a@example.org"}]))
    site = RunningWes(tmp_path, "--accounts", str(accounts))
    try:
        assert httpx.get(f"{site.url}/runs").status_code == 401
        form = {"username": "alice", "password": "correct-horse-1"}
        token = httpx.post(f"{site.url}/token", data=form).json()["access_token"]
        site.stop()
        site.start()
        assert httpx.get(f"{site.url}/runs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    finally:
        site.stop()


def test_without_its_environment_the_site_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.wes", "--data-dir", str(tmp_path / "d"), "--venv", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "requirements.lock" in done.stderr
    assert not (tmp_path / "d").exists()
