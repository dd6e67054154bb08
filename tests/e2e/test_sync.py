"""The catalogue of the whole platform: four sites, one of them down, and a registry that is not left alone."""

import json
from pathlib import Path

import psycopg2
import pytest

from tests.e2e.conftest import Platform

pytestmark = pytest.mark.timeout(600)

SANDBOX = {"Sandbox imputation server", "Sandbox mirror", "Sandbox workflow node", "Sandbox node that is down"}


def test_the_demonstration_has_four_sites_of_both_kinds_and_one_is_down(platform: Platform, demo: str) -> None:
    with platform.log_in("researcher") as researcher:
        sites = {site["name"]: site for site in researcher.list_services() if site["name"] in SANDBOX}
    assert [site["api_type"] for site in sites.values()].count("michigan") == 2
    assert [site["api_type"] for site in sites.values()].count("ga4gh") == 2
    down = sites.pop("Sandbox node that is down")
    assert (down["health_status"], down["is_available"]) == ("unhealthy", False)
    assert {site["health_status"] for site in sites.values()} == {"healthy"}
    assert down["error_message"].split()[0] in demo


def test_drift_is_seen_and_mended_by_one_command(platform: Platform, demo: str, tmp_path: Path) -> None:
    account = platform.credentials["accounts"]["curator"]
    options = ("--email", account["email"], "--password", account["password"])
    platform.command("login", "--gateway", platform.credentials["gateway_url"], *options, person=tmp_path)
    with platform.log_in("curator") as curator:
        curated = curator.list_all("/api/v1/curation/services/")
    site = curated[0]
    same = platform.command("catalog", "check", person=tmp_path)
    assert f"The registry holds what is curated: {len(curated)} sites" in same.stdout
    with psycopg2.connect(platform.credentials["databases"]["service_registry_db"]) as connection:
        connection.cursor().execute("UPDATE imputation_services SET name = 'By hand' WHERE id = %s", (site["id"],))
    connection.close()
    differs = platform.command("catalog", "check", person=tmp_path, check=False)
    assert differs.returncode == 1
    assert f'name: {json.dumps(site["name"])} here, "By hand" in the registry' in differs.stdout
    mended = platform.command("catalog", "repair", person=tmp_path)
    assert f"{site['name']}: told again" in mended.stdout
    assert platform.command("catalog", "check", person=tmp_path).stdout == same.stdout


def test_a_check_without_the_registry_says_that_it_is_away(platform: Platform, demo: str, tmp_path: Path) -> None:
    account = platform.credentials["accounts"]["curator"]
    options = ("--email", account["email"], "--password", account["password"])
    platform.command("login", "--gateway", platform.credentials["gateway_url"], *options, person=tmp_path)
    platform.command("stop", "service_registry")
    try:
        unknown = platform.command("catalog", "check", person=tmp_path, check=False)
    finally:
        platform.command("start", "service_registry")
    assert (unknown.returncode, "service_registry does not answer" in unknown.stderr) == (2, True), unknown
