"""Tokens, the server's description, and the order of the checks of a submission."""

import http.client
import time
from pathlib import Path

import httpx
import pytest
from jose import jwt

from sandbox.simulator import Simulation
from tests.sandbox.sandbox_site import PASSWORD, RunningSite, SiteClient


@pytest.fixture
def client(site: RunningSite) -> SiteClient:
    return site.log_in("ivan")


def test_a_stranger_sees_the_server_but_no_application(site: RunningSite) -> None:
    for headers in ({}, {"X-Auth-Token": "nonsense"}):
        shown = httpx.get(f"{site.url}/api/v2/server", headers=headers).json()
        assert shown["loggedIn"] is False
        assert shown["apps"] == []
        assert "user" not in shown
        assert shown["maintenace"] is False


def test_a_token_shows_applications_panels_and_populations(client: SiteClient) -> None:
    shown = client.http.get("/api/v2/server").json()
    assert shown["user"]["username"] == "ivan"
    application = client.http.get(f"/api/v2/server/apps/{shown['apps'][0]['id']}").json()
    assert application["id"] == "imputationserver2"
    parameters = {entry["id"]: entry for entry in application["params"]}
    assert [panel["key"] for panel in parameters["refpanel"]["values"]] == ["apps@simulated-hg38@1.0.0"]
    bound = parameters["population"]
    assert (bound["type"], bound["bind"]) == ("binded_list", "refpanel")
    assert [entry["key"] for entry in bound["values"][0]["values"]] == ["afr", "all", "eur", "off"]
    assert "password" not in parameters


def test_an_application_needs_a_token_and_a_panel_is_none(site: RunningSite, client: SiteClient) -> None:
    assert httpx.get(f"{site.url}/api/v2/server/apps/imputationserver2").status_code == 401
    panel = client.http.get("/api/v2/server/apps/simulated-hg38@1.0.0")
    assert (panel.status_code, panel.json()["success"]) == (404, False)
    assert "is a data package." in panel.json()["message"]
    assert "not found or the request" in client.http.get("/api/v2/server/apps/other").json()["message"]


def test_a_new_token_revokes_the_old_one_at_once(site: RunningSite) -> None:
    client = site.log_in("judy")
    verify = f"{site.url}/api/v2/tokens/verify"
    before = httpx.post(verify, data={"token": client.token}).json()
    assert before["valid"] is True
    assert before["message"] == "API Token was created by %s and is valid."
    assert before["expire"].endswith("Z")
    renewed = client.renew_token()
    after = httpx.post(verify, json={"token": client.token}).json()
    assert after == {
        "valid": False, "message": "Invalid API Token.", "username": None, "name": None, "mail": None, "expire": None,
    }  # fmt: skip
    assert client.http.get("/api/v2/jobs").status_code == 403
    assert httpx.get(f"{site.url}/api/v2/jobs", headers={"X-Auth-Token": renewed}).status_code == 200
    client.browser.delete("/api/v2/users/judy/api-token")
    assert httpx.get(f"{site.url}/api/v2/jobs", headers={"X-Auth-Token": renewed}).status_code == 403


def test_claims_of_an_api_token(client: SiteClient) -> None:
    claims = jwt.get_unverified_claims(client.token)
    assert claims["token_type"] == "API_TOKEN"
    assert claims["iss"] == "cloudgene"
    assert len(claims["api_hash"]) == 30
    assert claims["exp"] - time.time() == pytest.approx(30 * 86400, abs=60)


def test_an_api_token_may_not_manage_tokens(client: SiteClient) -> None:
    answer = client.http.post("/api/v2/users/ivan/api-token")
    assert answer.status_code == 403
    assert "success" not in answer.json()
    assert client.browser.post("/api/v2/users/alice/api-token").status_code == 403


def test_verification_without_a_token_field_is_a_bad_request(site: RunningSite) -> None:
    assert httpx.post(f"{site.url}/api/v2/tokens/verify", data={"other": "x"}).status_code == 400
    broken = httpx.post(f"{site.url}/api/v2/tokens/verify", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400


def test_five_wrong_passwords_lock_an_account(site: RunningSite) -> None:
    login = f"{site.url}/login"
    for _ in range(5):
        wrong = httpx.post(login, data={"username": "mallory", "password": "guess"})
        assert (wrong.status_code, wrong.json()["_embedded"]["errors"][0]["message"]) == (
            401,
            "Login Failed! Wrong Username or Password.",
        )
    locked = httpx.post(login, json={"username": "mallory", "password": PASSWORD})
    assert locked.status_code == 401
    assert "locked" in locked.text


def test_passwords_are_not_stored_in_clear(site: RunningSite) -> None:
    stored = [path for path in site.data_dir.glob("site.sqlite3*") if PASSWORD.encode() in path.read_bytes()]
    assert not stored


@pytest.mark.parametrize(("path", "stranger", "known"), [("/api/v2/nowhere", 401, 404), ("/nowhere", 404, 404)])
def test_unknown_addresses(site: RunningSite, client: SiteClient, path: str, stranger: int, known: int) -> None:
    assert httpx.get(site.url + path).status_code == stranger
    answer = client.http.get(path)
    assert answer.status_code == known
    assert answer.json()["_embedded"]["errors"][0]["message"] == answer.json()["message"]


def test_checks_of_a_submission_come_in_their_order(
    site: RunningSite, client: SiteClient, simulation: Simulation
) -> None:
    maintenance = site.data_dir / "maintenance"
    stranger = httpx.post(f"{site.url}/api/v2/jobs/submit/nothing", files={"x": b""}).status_code
    assert stranger == 401
    assert client.http.post("/api/v2/jobs/submit/imputationserver2", data={"a": "b"}).status_code == 415
    unknown = client.post_job(simulation.cohort, application="nothing", other="1")
    assert (unknown.status_code, unknown.json()["message"]) == (404, "Application 'nothing' not found.")
    package = client.post_job(simulation.cohort, application="simulated-hg38@1.0.0")
    assert "has no workflow section." in package.json()["message"]
    field = client.post_job(simulation.cohort, other="1")
    assert (field.status_code, field.json()["message"]) == (400, "Parameter 'other' not found.")
    assert client.http.get("/api/v2/jobs").json()["count"] == 0
    assert_maintenance_comes_first(client, simulation.cohort, maintenance)


def assert_maintenance_comes_first(client: SiteClient, cohort: Path, maintenance: Path) -> None:
    maintenance.write_text("Back at noon.", encoding="utf-8")
    try:
        assert client.post_job(cohort, application="nothing").status_code == 503
        assert client.http.get("/api/v2/jobs").status_code == 503
        shown = client.http.get("/api/v2/server").json()
        assert (shown["maintenace"], shown["maintenaceMessage"]) == (True, "Back at noon.")
    finally:
        maintenance.unlink()


def test_a_body_that_is_no_multipart_is_refused(client: SiteClient) -> None:
    address = "/api/v2/jobs/submit/imputationserver2"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.http.post(address, content=b"--y\r\nnonsense", headers=kind).status_code == 400
    assert client.http.post(address, content=b"", headers={"Content-Type": "multipart/form-data"}).status_code == 400


def test_a_body_over_the_limit_is_refused_before_it_is_sent(site: RunningSite, client: SiteClient) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    connection.putrequest("POST", "/api/v2/jobs/submit/imputationserver2")
    headers = {"X-Auth-Token": client.token, "Content-Type": "multipart/form-data; boundary=x"}
    for name, value in {**headers, "Content-Length": str(10**12)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_counters_are_for_everybody(site: RunningSite) -> None:
    shown = httpx.get(f"{site.url}/api/v2/server/counters").json()
    assert shown["users"] == 11
    assert shown["queue"]["size"] >= 0


def test_traps_of_submitted_fields(site: RunningSite, client: SiteClient) -> None:
    """A checkbox that is there means yes, text is escaped, numbers are read, and names decide about files."""
    fields = {"input-job-name": "a<b> é", "refpanel": "none", "aesEncryption": "false", "r2Filter": "0.30"}
    uploads = [
        ("files", ("first/cohort.vcf.gz", b"old")),
        ("files", ("notes.txt", b"kept")),
        ("input-files", ("second\\cohort.vcf.gz", b"new")),
    ]
    answer = client.http.post("/api/v2/jobs/submit/imputationserver2@2.0.12", data=fields, files=uploads)
    job = client.read(answer.json()["id"])
    assert job["name"] == "a&lt;b&gt; &eacute;"
    assert job["applicationId"] == "imputationserver2@2.0.12"
    log = client.http.get(f"/logs/{job['id']}").text
    assert "aesEncryption: true" in log
    assert "r2Filter: 0.3\n" in log
    stored = site.data_dir / "jobs" / job["id"] / "input"
    assert {path.name: path.read_bytes() for path in stored.iterdir()} == {
        "cohort.vcf.gz": b"new",
        "notes.txt": b"kept",
    }
    client.browser.delete(f"/api/v2/jobs/{job['id']}")
    assert not stored.exists()
