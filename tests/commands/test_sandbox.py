"""What a newcomer is given, by a real sandbox site."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from imputehub.client import PlatformError
from imputehub.demo.newcomer import prepare_trial
from tests.sandbox.sandbox_site import PASSWORD, RunningSite


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """As after a demonstration: the cohort is there, and the site's people are known."""
    for folder in ("sandbox/demo", "sandbox/site/panels/simulated", "site"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sandbox/site/panels/simulated/panel.json").write_text("{}")
    made = {"cohort": "/genotypes/cohort.vcf.gz", "truth": "/truth", "panel": "/panel"}
    (tmp_path / "sandbox/demo/simulation.json").write_text(json.dumps(made))
    people = [{"username": name, "password": PASSWORD} for name in ("researcher", "newcomer")]
    (tmp_path / "sandbox/accounts.json").write_text(json.dumps(people))
    return tmp_path


@pytest.fixture
def site(home: Path) -> Iterator[RunningSite]:
    site = RunningSite(home / "site", ["researcher", "newcomer"])
    yield site
    site.stop()


def is_valid(site: RunningSite, token: str) -> bool:
    return bool(httpx.post(f"{site.url}/api/v2/tokens/verify", json={"token": token}).json()["valid"])


def test_a_newcomer_gets_the_cohort_and_a_token_for_each_site_that_stays_good(home: Path, site: RunningSite) -> None:
    sites = {"sandbox_site": site.url, "sandbox_wes": "http://127.0.0.1:9"}
    trial = prepare_trial(home, sites)
    assert trial.genotypes == Path("/genotypes/cohort.vcf.gz")
    assert list(trial.tokens) == ["Sandbox imputation server", "Sandbox mirror", "Sandbox workflow node"]
    token = trial.tokens["Sandbox imputation server"]
    assert trial.tokens["Sandbox workflow node"] == f"newcomer:{PASSWORD}"
    assert prepare_trial(home, sites) == trial
    assert is_valid(site, token)
    assert (home / "sandbox/newcomer.json").stat().st_mode & 0o077 == 0


def test_a_token_that_the_site_takes_no_longer_is_replaced(home: Path, site: RunningSite) -> None:
    sites = {"sandbox_site": site.url}
    token = prepare_trial(home, sites).tokens["Sandbox mirror"]
    account = site.log_in("newcomer")
    headers = {"X-Auth-Token": account.login_token}
    httpx.delete(f"{site.url}/api/v2/users/newcomer/api-token", headers=headers).raise_for_status()
    renewed = prepare_trial(home, sites).tokens["Sandbox mirror"]
    assert renewed != token
    assert is_valid(site, renewed)


def test_a_site_that_is_away_and_an_older_installation_are_named(home: Path) -> None:
    with pytest.raises(PlatformError, match="gives no token"):
        prepare_trial(home, {"sandbox_site": "http://127.0.0.1:9"})
    (home / "sandbox/accounts.json").write_text("[]")
    with pytest.raises(PlatformError, match="imputehub down"):
        prepare_trial(home, {"sandbox_site": "http://127.0.0.1:9"})
