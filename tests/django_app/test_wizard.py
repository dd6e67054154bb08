"""Setting up a site in steps: real pages over real HTTP, against sites that really answer."""

import json
import re
from collections.abc import Callable

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.relay import Relay
from imputehub.local.children import find_free_port
from tests.django_app.browsing import SERVICES, FormReader
from tests.django_app.catalogue import add_site
from tests.django_app.registry import StubRegistry
from tests.django_app.stub_site import GOOD_TOKEN, WES_INFO, StubSite

SET_UP = f"{SERVICES}set-up/"
WES = "/ga4gh/wes/v1"
RECIPE = {
    "workflow_url": "impute.nf",
    "workflow_type": "NFL",
    "workflow_type_version": "22.10.0",
    "parameters": {"target": "{{input.location}}"},
}


class Wizard:
    """One curator's way through the pages, as a browser goes it without JavaScript."""

    def __init__(self, browser: httpx.Client) -> None:
        self.browser = browser
        self.page = browser.get(SET_UP)

    @property
    def step(self) -> str:
        return self.page.url.path.rstrip("/").rpartition("/")[2]

    @property
    def text(self) -> str:
        return self.page.text

    def press(self, button: str = "_continue", leave_out: tuple[str, ...] = (), **typed: str) -> "Wizard":
        """Send the page's form with these fields changed; every POST is answered with a redirect."""
        form = {name: value for name, value in FormReader(self.text).fields.items() if name and name not in leave_out}
        form.pop("action", None)
        answer = self.browser.post(self.page.url, data={**form, **typed, button: "1"}, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        self.page = self.browser.get(answer.headers["location"])
        assert self.page.status_code == 200
        return self

    def load(self, step: str) -> "Wizard":
        draft = self.page.url.path.split("/set-up/")[1].partition("/")[0]
        self.page = self.browser.get(f"{SET_UP}{draft}/{step}/")
        return self

    def reach_panels(self, site: StubSite, token: str = GOOD_TOKEN, **address: str) -> "Wizard":
        self.press(base_url=site.url, allow_private_network="on", **address)
        self.press(name="A site", country="ZA")
        return self.press(new_credential=token)


@pytest.fixture
def wizard(browser: httpx.Client) -> Wizard:
    return Wizard(browser)


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


def test_a_refused_credential_is_not_kept_and_the_sites_words_are_shown(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site, token="token-of-yesterday")
    assert wizard.step == "access"
    assert "was not kept. Invalid token." in wizard.text
    assert "token-of-yesterday" not in wizard.text
    wizard.press()
    assert wizard.step == "panels"
    assert "accounts only" in wizard.text
    wizard.press().press("_save")
    saved = ImputationService.objects.get()
    assert (saved.credential, saved.requires_auth) == (None, True)


def test_a_credential_goes_to_no_other_site(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site)
    away = f"http://127.0.0.1:{find_free_port()}"
    wizard.load("address").press(base_url=away, api_type="michigan")
    assert "was for the other address" in wizard.text
    wizard.load("access")
    assert "A credential is entered" not in wizard.text
    assert FormReader(wizard.load("site").text).fields["country"] == "ZA", "the rest is kept"


def test_a_site_that_does_not_answer_is_saved_inactive_or_knowingly(wizard: Wizard) -> None:
    away = f"http://127.0.0.1:{find_free_port()}"
    wizard.press(base_url=away, allow_private_network="on")
    assert "could not be reached" in wizard.text
    assert "Check the address and its port" in wizard.text
    wizard.press(name="Away")
    assert wizard.step == "site"
    assert "This field is required" in wizard.text, "nobody told the interface"
    wizard.press(name="Away", api_type="michigan").press().press()
    assert wizard.step == "review"
    assert "is_active" not in FormReader(wizard.text).fields
    wizard.press("_save", is_active="on")
    assert "or save the site inactive" in wizard.text
    assert not ImputationService.objects.exists()
    wizard.press("_save", knowingly="on")
    assert ImputationService.objects.get().is_active


def test_a_private_address_is_explained_and_needs_the_tick(wizard: Wizard, site: StubSite) -> None:
    wizard.press(base_url=site.url.replace("http://", "https://"))
    assert "private, loopback or link-local network" in wizard.text
    assert "tick “Private network, or plain http”" in wizard.text
    wizard.press("_back").press(base_url=site.url)
    assert "plain http" in wizard.text
    assert site.seen == []
    wizard.press("_back").press(allow_private_network="on")
    assert FormReader(wizard.text).fields["name"] == "Stub site", "what was left empty is filled in"


def test_a_site_in_maintenance_says_so_in_its_own_words(wizard: Wizard, site: StubSite) -> None:
    site.body |= {"maintenace": True, "maintenaceMessage": "Back on <b>Monday</b>."}
    wizard.press(base_url=site.url, allow_private_network="on")
    assert "Back on Monday. The site says so itself" in wizard.text
    site.body |= {"maintenace": False}
    wizard.press("_again")
    assert wizard.step == "site"
    assert "Stub site answers." in wizard.text


def test_an_address_that_is_known_already_is_pointed_out(wizard: Wizard, site: StubSite) -> None:
    known = add_site(base_url=f"{site.url}/", name="The first one")
    wizard.press(base_url=site.url, allow_private_network="on")
    assert "There is a site with this address already" in wizard.text
    assert f"{SERVICES}{known.pk}/change/" in wizard.text
    wizard.press(name="Second").press().press()
    assert "The first one" in wizard.text
    wizard.press("_save")
    assert ImputationService.objects.count() == 2


def test_foreign_text_is_never_markup(wizard: Wizard, site: StubSite) -> None:
    site.body["name"] = "<<script>alert(1)</script>i>Site"
    site.panels = {"apps@x@1\"'><script>alert(2)</script>": ("<img src=x onerror=alert(3)> hg19", ["<b>", '"afr'])}
    pages = [wizard.press(base_url=site.url, allow_private_network="on").text]
    pages += [wizard.press(name="<script>alert(4)</script>", country="ZA").text]
    pages += [wizard.press(new_credential=GOOD_TOKEN).text, wizard.press().text]
    assert wizard.step == "review"
    pages += [wizard.press("_save").text]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'apps@x@1"' not in page


def test_what_cannot_be_stored_is_refused_in_words(wizard: Wizard, site: StubSite) -> None:
    site.panels = {f"apps@{'x' * 300}@1": ("Long hg19", [])}
    wizard.reach_panels(site).press()
    assert "at most 200 characters" in wizard.text
    wizard.press("_save")
    assert "cannot be saved like this" in wizard.text
    assert not ImputationService.objects.exists()


def test_saving_twice_makes_one_site(wizard: Wizard, site: StubSite) -> None:
    wizard.reach_panels(site).press()
    review, form = wizard.page.url, FormReader(wizard.text).fields
    wizard.press("_save")
    again = wizard.browser.post(review, data={**form, "_save": "1"})
    assert "This set-up was saved before." in again.text
    assert again.url.path == wizard.page.url.path
    assert ImputationService.objects.count() == 1


def test_a_step_cannot_be_reached_before_those_in_front_of_it(wizard: Wizard, site: StubSite) -> None:
    wizard.press(base_url=site.url, allow_private_network="on")
    assert wizard.load("review").step == "site"
    assert wizard.browser.get(f"{SET_UP}4b0e0f5e-0000-4000-8000-000000000000/site/").url.path == SET_UP
    assert wizard.browser.get(str(wizard.page.url).replace("/site/", "/nowhere/")).status_code == 404


def test_a_set_up_can_be_given_up(wizard: Wizard, site: StubSite) -> None:
    wizard.press(base_url=site.url, allow_private_network="on").press("_discard")
    assert wizard.page.url.path == SERVICES
    assert "nothing was saved" in wizard.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"base_url": ""}, "This field is required"),
        ({"base_url": "imputation.example.org"}, "Give an absolute address"),
        ({"base_url": "https://a.example.org", "ca_pem": "none"}, "Not a certificate"),
        ({"base_url": "https://a.example.org", "api_type": "fax"}, "not one of the available choices"),
    ],
)
def test_a_wrong_address_is_shown_again_with_the_reason(wizard: Wizard, typed: dict[str, str], words: str) -> None:
    wizard.press(**typed)
    assert wizard.step == "address"
    assert words in wizard.text
    assert FormReader(wizard.text).fields["base_url"] == typed["base_url"]


def test_the_wizard_is_for_those_who_may_add_sites(log_in: Callable[[str], httpx.Client]) -> None:
    curator = log_in("curator@example.org")
    assert f'href="{SET_UP}"' in curator.get(SERVICES).text
    assert "login" in log_in("researcher@example.org").get(SET_UP).url.path
    person = User.objects.get(username="curator@example.org")
    person.groups.clear()
    person.user_permissions.set(Permission.objects.filter(codename="view_imputationservice"))
    assert curator.get(SERVICES).status_code == 200
    assert curator.get(SET_UP).status_code == 403
    assert curator.get(f"{SET_UP}4b0e0f5e-0000-4000-8000-000000000000/site/").status_code == 403


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
