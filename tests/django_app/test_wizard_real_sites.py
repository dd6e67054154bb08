"""Setting up the sandbox's sites, as real processes: Cloudgene's interface, and sapporo as other people wrote it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from django_app.imputation.models import ImputationService
from sandbox.simulator import Simulation, simulate_cohort
from tests.django_app.browsing import SERVICES, FormReader
from tests.django_app.wizard import Wizard
from tests.sandbox.sandbox_site import RunningSite
from tests.sandbox_wes.wes_site import RunningWes, require_sapporo

RECIPE = json.loads((Path(__file__).parents[2] / "sandbox" / "wes" / "recipe.json").read_text())


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    folder = tmp_path_factory.mktemp("set-up")
    return simulate_cohort(folder, seed=7, samples=5, panel_haplotypes=20, length=100_000, typed=30)


@pytest.fixture
def cloudgene(simulation: Simulation, tmp_path: Path) -> Iterator[RunningSite]:
    shutil.copytree(simulation.panel, tmp_path / "panels" / "simulated")
    running = RunningSite(tmp_path, ["alice"])
    yield running
    running.stop()


@pytest.fixture
def sapporo(simulation: Simulation, tmp_path: Path) -> Iterator[RunningWes]:
    require_sapporo()
    shutil.copytree(simulation.panel, tmp_path / "panels" / "simulated")
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps([{"username": "alice", "password": "correct-horse-1"}]))
    running = RunningWes(tmp_path, "--accounts", str(accounts))
    yield running
    running.stop()


def test_the_sandboxs_cloudgene_site_is_set_up_and_in_step_with_its_list(
    browser: httpx.Client, cloudgene: RunningSite
) -> None:
    wizard = Wizard(browser)
    wizard.press(base_url=cloudgene.url, allow_private_network="on")
    assert "Michigan (Cloudgene)" in wizard.text
    wizard.press(country="ZA").press(new_credential=cloudgene.log_in("alice").token)
    assert wizard.step == "panels", wizard.text
    wizard.press()
    assert "accepted by the site as alice, good until" in wizard.text
    wizard.press("_save")
    saved = ImputationService.objects.get()
    panel = saved.panels.get()
    assert (panel.panel_id.startswith("apps@"), panel.build) == (True, "hg38")
    assert "off" in panel.populations
    page = browser.get(f"{SERVICES}{saved.pk}/sync-panels/").text
    assert "1 panel unchanged" in page
    assert "Apply what is ticked" not in page


def test_sapporo_is_recognised_described_and_set_up_with_a_recipe(browser: httpx.Client, sapporo: RunningWes) -> None:
    wizard = Wizard(browser)
    wizard.press(base_url=sapporo.url, allow_private_network="on")
    for words in ("Sandbox WES site", "Sapporo, version 2.4.0", "SANDBOX 1.0", "http, https"):
        assert words in wizard.text
    wizard.press(country="ZA")
    wizard.press(requires_auth="on", new_credential="alice:wrong-horse", token_url=f"{sapporo.url}/token")
    assert "was not kept" in wizard.text
    wizard.press(new_credential="alice:correct-horse-1")
    assert wizard.step == "panels", wizard.text
    recipe = json.loads(FormReader(wizard.text).fields["recipes-0-recipe"])
    assert (recipe["workflow_url"], recipe["workflow_type"]) == ("impute", "SANDBOX"), "as the site's tag suggests"
    named = {"recipes-0-name": "Simulated", "recipes-0-panel_id": "simulated-hg38", "recipes-0-build": "hg38"}
    wizard.press(**named, **{"recipes-0-recipe": json.dumps(RECIPE)})
    assert "accepted by the site as alice" in wizard.text
    wizard.press("_save")
    saved = ImputationService.objects.get()
    assert saved.panels.get().recipe == RECIPE
    assert saved.api_config["token_url"] == f"{sapporo.url}/token"
