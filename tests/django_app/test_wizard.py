"""Setting up a site in steps: real pages over real HTTP, against sites that really answer."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.db.backends.signals import connection_created

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.relay import Relay
from tests.django_app.browsing import SERVICES, FormReader
from tests.django_app.registry import StubRegistry
from tests.django_app.stub_site import GOOD_TOKEN, WES_INFO, StubSite
from tests.django_app.wizard import Wizard

WES = "/ga4gh/wes/v1"
RECIPE = {
    "workflow_url": "impute.nf",
    "workflow_type": "NFL",
    "workflow_type_version": "22.10.0",
    "parameters": {"target": "{{input.location}}"},
}
_QUERIES_A_PANEL_SAVED = 14


@contextmanager
def count_queries(asked: list[str]) -> Iterator[None]:
    def note(execute: Any, sql: str, *given: Any) -> Any:
        asked.append(sql)
        return execute(sql, *given)

    def watch(connection: Any, **_sent: Any) -> None:
        connection.execute_wrappers.append(note)

    connection_created.connect(watch)
    try:
        yield
    finally:
        connection_created.disconnect(watch)


def field_of(wizard: Wizard, panel_id: str, name: str) -> str:
    """The name of a field of one listed panel."""
    found = re.search(rf'name="(panel-\w+)-name"[^>]*aria-label="Name of {re.escape(panel_id)}"', wizard.text)
    assert found is not None
    return f"{found[1]}-{name}"


def test_a_michigan_site_is_set_up_with_panels_of_its_list_and_told_as_one_document(
    wizard: Wizard, site: StubSite, registry: StubRegistry, relay: Relay
) -> None:
    wizard.press(base_url=f"{site.url}/", allow_private_network="on")
    assert wizard.step == "site"
    for words in (
        "Stub site answers.",
        "Michigan (Cloudgene)",
        "Cloudgene 3, version 2.0.8",
        "accounts only",
        "jobs waiting: 3",
    ):
        assert words in wizard.text
    assert FormReader(wizard.text).fields["name"] == "Stub site"
    assert not any(token for _, token in site.seen)
    wizard.press(name="Site of Examples", country="ZA", location="Example Institute")
    assert wizard.step == "access"
    wizard.press(new_credential=GOOD_TOKEN, credential_shared="on")
    assert wizard.step == "panels"
    chosen = [name for name in FormReader(wizard.text).fields if name.endswith("-chosen")]
    assert len(chosen) == 2, "the one whose build nobody told is not chosen"
    wizard.press()
    assert wizard.step == "review"
    for words in ("Site of Examples", "accepted by the site as curator", "2 panels", "apps@h3africa-v6hc-s@1.0.0"):
        assert words in wizard.text
    assert not ImputationService.objects.exists()
    wizard.press("_save")
    saved = ImputationService.objects.get()
    assert wizard.page.url.path == f"{SERVICES}{saved.pk}/change/"
    assert "was saved with 2 panels" in wizard.text
    assert (saved.base_url, saved.api_type, saved.is_active) == (site.url, "michigan", True)
    assert saved.api_config == {"allow_private_network": True}
    assert (saved.min_samples, saved.max_samples, saved.credential_shared) == (20, 50_000, True)
    assert saved.credential is not None
    assert saved.credential.reveal() == GOOD_TOKEN
    panel = ReferencePanel.objects.get(panel_id="apps@1000g-phase-3-v5@2.0.0")
    assert (panel.build, panel.populations) == ("hg19", ["afr", "eur", "off"])
    assert relay.deliver_due() == 1
    [event] = registry.received
    assert len(event["data"]["panels"]) == 2
    assert event["data"]["credential"] == GOOD_TOKEN


def test_saving_is_in_the_history_with_its_way(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site).press().press("_save")
    saved = ImputationService.objects.get()
    assert [record.history_change_reason for record in saved.history.all()] == ["set-up"]
    panels = [panel.history.get() for panel in ReferencePanel.objects.all()]
    assert {record.history_change_reason for record in panels} == {"set-up: from the site's list"}
    assert {record.history_user_id for record in panels} == {"curator@example.org"}


def test_a_wes_site_is_found_under_its_usual_path_and_shown_readably(wizard: Wizard, site: StubSite) -> None:
    site.wes = WES
    wizard.press(base_url=site.url, allow_private_network="on")
    for words in (f"{site.url}{WES}", "GA4GH WES", "WESkit", "NFL 22.10.0", "file, S3", "RUNNING: 3, COMPLETE: 12"):
        assert words in wizard.text
    for words in ("mailto:node@example.org", "https://example.org/log-in", "a cancelled run goes on there"):
        assert words in wizard.text
    assert "no: after a lost answer somebody has to ask" in wizard.text
    wizard.press(name="A node", country="ML").press(leave_out=("requires_auth",))
    assert wizard.step == "panels"
    assert "WES has no list of panels" in wizard.text
    assert json.loads(FormReader(wizard.text).fields["recipes-0-recipe"])["workflow_type"] == "NFL"
    recipe = {"recipes-0-name": "AFR panel", "recipes-0-panel_id": "afr", "recipes-0-build": "hg38"}
    wizard.press(**recipe, **{"recipes-0-populations": "AFR, EUR", "recipes-0-recipe": json.dumps(RECIPE)})
    assert wizard.step == "review", wizard.text
    wizard.press("_save")
    saved = ImputationService.objects.get()
    assert (saved.api_type, saved.base_url, saved.requires_auth) == ("ga4gh", f"{site.url}{WES}", False)
    panel = saved.panels.get()
    assert (panel.panel_id, panel.populations, panel.recipe) == ("afr", ["AFR", "EUR"], RECIPE)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("{not json", "valid JSON"),
        (json.dumps({**RECIPE, "workflow_type": "CWL"}), "does not run workflows of type CWL; it offers: NFL"),
        (json.dumps({**RECIPE, "workflow_type_version": "1"}), "does not run NFL 1; it offers: 22.10.0"),
        (json.dumps({**RECIPE, "parameters": {"x": "{{secret}}"}}), "is not known"),
        (json.dumps({**RECIPE, "surprise": 1}), "surprise"),
    ],
)
def test_a_recipe_that_the_site_could_not_run_is_shown_again_as_it_was_typed(
    wizard: Wizard, site: StubSite, recipe: str, words: str
) -> None:
    site.wes = WES
    wizard.reach_panels(site)
    assert wizard.step == "panels"
    fields = {"recipes-0-name": "P", "recipes-0-panel_id": "p", "recipes-0-build": "hg38", "recipes-0-recipe": recipe}
    wizard.press(**fields)
    assert wizard.step == "panels"
    assert words in wizard.text.replace("&#x27;", "'")
    assert FormReader(wizard.text).fields["recipes-0-recipe"] == recipe


def test_more_panels_are_added_and_left_out_without_javascript(wizard: Wizard, site: StubSite) -> None:
    site.wes = WES
    wizard.reach_panels(site)
    first = {"recipes-0-name": "P", "recipes-0-panel_id": "p", "recipes-0-build": "hg38"}
    wizard.press("_add", **first, **{"recipes-0-recipe": json.dumps(RECIPE)})
    fields = FormReader(wizard.text).fields
    assert (fields["recipes-0-name"], fields["recipes-TOTAL_FORMS"]) == ("P", "2")
    assert json.loads(fields["recipes-1-recipe"])["workflow_type"] == "NFL"
    second = {"recipes-1-name": "Q", "recipes-1-panel_id": "p", "recipes-1-build": "hg38"}
    wizard.press(**second, **{"recipes-1-recipe": json.dumps(RECIPE)})
    assert "the same panel id" in wizard.text
    wizard.press(**{"recipes-1-DELETE": "on"})
    assert wizard.step == "review"
    assert "1 panel<" in wizard.text


def test_going_back_and_loading_again_lose_nothing(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site)
    name = field_of(wizard, "apps@1000g-phase-3-v5@2.0.0", "name")
    wizard.press("_back", **{name: "Thousand genomes"})
    assert wizard.step == "access"
    wizard.press("_back").press("_back")
    assert wizard.step == "address"
    assert FormReader(wizard.text).fields["base_url"] == site.url
    asked = len(site.seen)
    wizard.load("panels").load("panels")
    assert FormReader(wizard.text).fields[name] == "Thousand genomes"
    assert len(site.seen) == asked, "loading a page asks nothing"
    assert "The site calls it: 1000G Phase 3 v5" in wizard.text
    wizard.press().press("_save")
    panel = ReferencePanel.objects.get(panel_id="apps@1000g-phase-3-v5@2.0.0")
    assert (panel.name, panel.history.get().history_change_reason) == ("Thousand genomes", "set-up: edited")


def test_a_panel_without_a_build_can_be_taken_once_it_is_chosen(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site)
    chosen, build = (field_of(wizard, "apps@mystery@1.0.0", name) for name in ("chosen", "build"))
    wizard.press(**{chosen: "on"})
    assert "does not tell the build" in wizard.text
    wizard.press(**{build: "hg38"})
    assert wizard.step == "review"
    assert "3 panels" in wizard.text


def test_a_credential_is_sealed_and_in_no_page(browser: httpx.Client, wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site)
    pages = [wizard.text, wizard.load("access").text, wizard.load("review").text, wizard.load("site").text]
    assert all(GOOD_TOKEN not in page for page in pages)
    stored = Session.objects.get(session_key=browser.cookies["imputehub_admin_session"]).get_decoded()
    assert GOOD_TOKEN not in json.dumps(stored)
    [draft] = stored["site_drafts"].values()
    assert draft["draft"]["sealed_credential"] not in "".join(pages)


def test_saving_twice_makes_one_site(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site).press()
    review, form = wizard.page.url, FormReader(wizard.text).fields
    wizard.press("_save")
    again = wizard.browser.post(review, data={**form, "_save": "1"})
    assert "This set-up was saved before." in again.text
    assert again.url.path == wizard.page.url.path
    assert ImputationService.objects.count() == 1


def test_a_set_up_can_be_given_up(wizard: Wizard, site: StubSite) -> None:
    wizard.press(base_url=site.url, allow_private_network="on").press("_discard")
    assert wizard.page.url.path == SERVICES
    assert "nothing was saved" in wizard.text


def test_two_set_ups_do_not_disturb_each_other(browser: httpx.Client, site: StubSite) -> None:
    first, second = Wizard(browser), Wizard(browser)
    first.press(base_url=site.url, allow_private_network="on")
    site.info = dict(WES_INFO)
    second.press(base_url="https://127.0.0.1:1")
    first.press(name="First", country="ZA")
    assert second.load("site").text.count("private, loopback") >= 1
    assert first.load("access").step == "access"


def test_a_site_with_hundreds_of_panels_can_be_set_up(wizard: Wizard, site: StubSite) -> None:
    site.panels = {f"apps@panel-{number}@1": (f"Panel {number} (hg38)", ["all"]) for number in range(400)}
    wizard.reach_panels(site).press()
    assert "400 panels" in wizard.text


def test_how_many_panels_a_site_lists_costs_no_query_before_they_are_saved(wizard: Wizard, site: StubSite) -> None:
    """To see it, the queries of the house's connections are counted: every request has one of its own."""
    asked: list[str] = []
    counts = []
    with count_queries(asked):
        for many in (2, 12):
            site.panels = {f"apps@panel-{number}@1": (f"Panel {number} (hg38)", ["all"]) for number in range(many)}
            set_up = Wizard(wizard.browser).reach_panels(site)
            asked.clear()
            set_up.press().load("panels").load("review")
            assert f"{many} panels" in set_up.text
            before = len(asked)
            set_up.press("_save")
            counts.append((before, len(asked) - before))
    (few, few_saved), (more, more_saved) = counts
    assert 0 < more == few
    assert more_saved - few_saved <= 10 * _QUERIES_A_PANEL_SAVED


def test_a_panel_that_the_site_lists_twice_is_told_in_words(wizard: Wizard, site: StubSite) -> None:
    site.panels = {"apps@twin@1": ("Twin (hg38)", ["all"])}
    site.listed_times = 2
    wizard.reach_panels(site).press()
    told = "apps@twin@1: The site lists this panel 2 times."
    assert told in wizard.text
    wizard.press("_save")
    assert f"cannot be saved like this: {told}" in wizard.text
    assert not ImputationService.objects.exists()
