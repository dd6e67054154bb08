"""What the set-up of a site refuses or warns of, in words, and who may use it."""

from collections.abc import Callable

import httpx
import pytest
from django.contrib.auth.models import Permission, User

from django_app.imputation.models import ImputationService
from imputehub.local.children import find_free_port
from tests.django_app.browsing import SERVICES, FormReader
from tests.django_app.catalogue import add_site
from tests.django_app.stub_site import GOOD_TOKEN, StubSite
from tests.django_app.wizard import SET_UP, Wizard


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


def test_a_step_cannot_be_reached_before_those_in_front_of_it(wizard: Wizard, site: StubSite) -> None:
    wizard.press(base_url=site.url, allow_private_network="on")
    assert wizard.load("review").step == "site"
    assert wizard.browser.get(f"{SET_UP}4b0e0f5e-0000-4000-8000-000000000000/site/").url.path == SET_UP
    assert wizard.browser.get(str(wizard.page.url).replace("/site/", "/nowhere/")).status_code == 404


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
