"""The curators' pages in a browser's terms: real forms over real HTTP."""

import json
import re
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.models import Delivery
from django_app.outbox.relay import Relay
from tests.django_app.browsing import ACCOUNTS, PANELS, PASSWORD, SERVICES, FormReader, ensure_staff, submit
from tests.django_app.catalogue import add_panel, add_site
from tests.django_app.conftest import House
from tests.django_app.registry import StubRegistry
from tests.django_app.test_process import base_environment

DELIVERIES = "/admin/outbox/delivery/"


NEW_SITE = {
    "name": "Server of Examples",
    "api_type": "michigan",
    "base_url": "https://imputation.example.org",
    "country": "ZA",
}
NEW_PANEL = {
    "panels-TOTAL_FORMS": "1",
    "panels-0-name": "1000 Genomes",
    "panels-0-panel_id": "apps@1000g@2.0.0",
    "panels-0-populations": "AFR,EUR",
    "panels-0-build": "hg38",
    "panels-0-is_active": "on",
}


def test_a_site_with_a_panel_is_made_in_the_form_and_reaches_the_registry_as_one(
    browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    answer = submit(browser, f"{SERVICES}add/", **NEW_SITE, **NEW_PANEL, new_credential="token-of-the-curator")
    assert "was added successfully" in answer.text, re.findall(r'class="[^"]*errorlist.*?</ul>', answer.text, re.DOTALL)
    assert relay.deliver_due() == 1
    [event] = registry.received
    assert event["data"]["name"] == "Server of Examples"
    assert event["data"]["credential"] == "token-of-the-curator"
    assert [panel["populations"] for panel in event["data"]["panels"]] == [["AFR", "EUR"]]


def test_a_change_of_an_inline_panel_alone_is_noted(
    browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    site = add_site()
    add_panel(site)
    relay.deliver_due()
    submit(browser, f"{SERVICES}{site.pk}/change/", **{"panels-0-name": "Renamed panel"})
    relay.deliver_due()
    assert registry.received[-1]["data"]["panels"][0]["name"] == "Renamed panel"
    submit(browser, f"{SERVICES}{site.pk}/change/", **{"panels-0-DELETE": "on"})
    relay.deliver_due()
    assert registry.received[-1]["data"]["panels"] == []
    assert registry.versions == sorted(set(registry.versions))


def test_delete_selected_sends_a_tombstone_for_each_site(
    browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    sites = [add_site(name="A"), add_site(name="B")]
    add_panel(sites[0])
    relay.deliver_due()
    form = FormReader(browser.get(SERVICES).text).fields
    chosen = {"action": "delete_selected", "_selected_action": [str(site.pk) for site in sites], "post": "yes"}
    browser.post(SERVICES, data={"csrfmiddlewaretoken": form["csrfmiddlewaretoken"], **chosen})
    assert not ImputationService.objects.exists()
    assert relay.deliver_due() == 2
    assert [event["type"] for event in registry.received[-2:]] == ["site.deleted"] * 2


def test_a_credential_is_never_in_a_page(browser: httpx.Client) -> None:
    secret = "token-that-nobody-may-see"
    pages = [submit(browser, f"{SERVICES}add/", **NEW_SITE, new_credential=secret)]
    site = ImputationService.objects.get()
    path = f"{SERVICES}{site.pk}/change/"
    pages += [browser.get(path), browser.get(SERVICES), browser.get(f"{SERVICES}{site.pk}/history/")]
    pages += [submit(browser, path, name="", new_credential=f"{secret}-2")]
    assert all(page.status_code == 200 for page in pages)
    assert all(secret not in page.text for page in pages)
    assert site.credential is not None
    assert all(site.credential.stored not in page.text for page in pages)
    assert "set on 20" in pages[1].text
    submit(browser, path, name="Renamed")
    kept = ImputationService.objects.get()
    assert kept.credential is not None
    assert kept.credential.reveal() == secret
    submit(browser, path, clear_credential="on")
    assert ImputationService.objects.get().credential is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_url": "imputation.example.org"}, "Give an absolute address"),
        ({"api_config": '{"poll_first_s": -1}'}, "poll_first_s"),
        ({"api_config": '{"app": "a\\u0000"}'}, "cannot be stored"),
        ({"min_samples": "9", "max_samples": "3"}, "More than max_samples"),
        ({"new_credential": "grüße"}, "one line of ASCII"),
    ],
)
def test_a_wrong_form_is_shown_again_with_the_reason(browser: httpx.Client, change: dict[str, str], words: str) -> None:
    answer = submit(browser, f"{SERVICES}add/", **{**NEW_SITE, **change})
    assert answer.status_code == 200
    assert words in answer.text
    assert not ImputationService.objects.exists()


def test_the_list_shows_the_sync_state_and_why(browser: httpx.Client, registry: StubRegistry, relay: Relay) -> None:
    told, refused = add_site(name="Told"), add_site(name="Refused", api_type="ga4gh")
    add_panel(told)
    registry.refusals[refused.subject] = 422
    relay.deliver_due()
    add_site(name="Fresh")
    text = browser.get(SERVICES).text
    for words in ("in sync", "pending", "failed, waits for a change or a retry: 422: refused"):
        assert words in text
    assert "Refused" not in browser.get(f"{SERVICES}?sync=in_sync").text.split("result_list")[-1]
    assert "Told" in browser.get(f"{SERVICES}?q=1000g-phase&api_type=michigan").text
    registry.refusals.clear()
    token = FormReader(browser.get(SERVICES).text).fields["csrfmiddlewaretoken"]
    chosen = {"action": "push_many", "_selected_action": str(refused.pk), "csrfmiddlewaretoken": token}
    assert "1 site: 1 pushed." in browser.post(SERVICES, data=chosen).text
    assert relay.deliver_due() == 2


def test_a_parked_delivery_is_seen_with_its_error_and_tried_again(
    browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    site = add_site()
    registry.refusals[site.subject] = 422
    relay.deliver_due()
    page = browser.get(f"{DELIVERIES}?state=parked").text
    assert site.subject in page
    assert "422: refused" in page
    registry.refusals.clear()
    chosen = {"action": "retry_now", "_selected_action": str(Delivery.objects.get().pk)}
    token = FormReader(page).fields["csrfmiddlewaretoken"]
    assert "tried again now" in browser.post(DELIVERIES, data={**chosen, "csrfmiddlewaretoken": token}).text
    assert relay.deliver_due() == 1
    assert browser.get(f"{DELIVERIES}add/").status_code == 403


def test_a_panel_has_a_page_of_its_own(browser: httpx.Client) -> None:
    panel = add_panel(add_site())
    submit(browser, f"{PANELS}{panel.pk}/change/", name="Renamed")
    assert ReferencePanel.objects.get().name == "Renamed"
    assert panel.panel_id in browser.get(PANELS).text


def test_curators_curate_and_administrators_may_do_everything(log_in: Callable[[str], httpx.Client]) -> None:
    curator, admin = log_in("CURATOR@example.org"), log_in("admin@example.org")
    assert curator.get(SERVICES).status_code == 200
    assert curator.get(DELIVERIES).status_code == 200
    assert curator.get("/admin/auth/user/").status_code == 403
    assert admin.get("/admin/auth/user/").status_code == 200
    assert admin.get("/admin/auth/group/").status_code == 200
    assert admin.get(f"/admin/auth/user/{User.objects.get(email='admin@example.org').pk}/change/").status_code == 200


def test_nobody_else_gets_in(house: House, log_in: Callable[[str], httpx.Client]) -> None:
    assert "Log in" in log_in("researcher@example.org").get(SERVICES).text
    assert "Log in" in httpx.get(f"{house.url}{SERVICES}", follow_redirects=True).text


def test_the_session_cookie_is_for_the_admin_only(browser: httpx.Client) -> None:
    cookies = {cookie.name: cookie for cookie in browser.cookies.jar}
    session = cookies["imputehub_admin_session"]
    assert session.path == "/admin/"
    assert session.has_nonstandard_attr("HttpOnly")
    assert session.get_nonstandard_attr("SameSite") == "Lax"


def test_a_form_without_its_token_is_refused(browser: httpx.Client) -> None:
    assert browser.post(f"{SERVICES}add/", data=NEW_SITE).status_code == 403


def test_a_form_sent_through_the_gateway_is_accepted(house: House, browser: httpx.Client) -> None:
    """The gateway keeps the Host, and the browser names its origin."""
    form = FormReader(browser.get(f"{SERVICES}add/").text).fields
    headers = {"Origin": house.url, "Host": house.url.removeprefix("http://")}
    fields = {name: value for name, value in form.items() if name}
    answer = browser.post(f"{SERVICES}add/", data={**fields, **NEW_SITE, "_save": "Save"}, headers=headers)
    assert "was added successfully" in answer.text
    foreign = browser.post(
        f"{SERVICES}add/", data={**fields, **NEW_SITE}, headers={"Origin": "http://evil.example.org"}
    )
    assert foreign.status_code == 403


def test_the_look_needs_no_other_host(browser: httpx.Client) -> None:
    page = browser.get("/admin/").text
    loaded = re.findall(r'(?:<link[^>]*href|<script[^>]*src|<img[^>]*src)="([^"]+)"', page)
    assert loaded
    for address in loaded:
        assert address.startswith("/admin/static/"), address
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert answer.content


def test_ensuring_staff_again_changes_nothing(log_in: Callable[[str], httpx.Client]) -> None:
    browser = log_in("curator@example.org")
    ensure_staff(ACCOUNTS)
    assert User.objects.count() == 3
    assert browser.get(SERVICES).url.path == SERVICES  # still logged in
    curator = User.objects.get(username="curator@example.org")
    assert (curator.first_name, curator.last_name) == ("Example", "Curator")


def test_whoever_loses_the_role_is_locked_out(log_in: Callable[[str], httpx.Client]) -> None:
    browser = log_in("curator@example.org")
    ensure_staff([{**ACCOUNTS[0], "roles": ["researcher"]}])
    assert "login" in browser.get(SERVICES).url.path


@pytest.mark.usefixtures("house")
def test_a_wrong_list_of_accounts_is_refused_without_a_secret() -> None:
    with pytest.raises(CommandError, match=r"0\.email") as refusal:
        ensure_staff([{"email": "no address", "password": PASSWORD, "roles": ["curator"]}])
    assert PASSWORD not in str(refusal.value)
    with pytest.raises(CommandError):
        ensure_staff("not json")


def test_the_command_reads_its_accounts_from_standard_input(house: House) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "django_app.manage", "ensure_staff"],
        input=json.dumps(ACCOUNTS),
        env={**base_environment(), **house.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "3 of 4 accounts may log in to the admin with a local password.\n", result.stderr
    admin = User.objects.get(username="admin@example.org")
    assert admin.is_superuser
    assert admin.password.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")
