"""What is done with many sites at once: a page with a row for each."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server

import httpx

from django_app.imputation.connection import try_sites
from django_app.imputation.models import ImputationService
from django_app.outbox.relay import Relay
from imputehub.local.children import find_free_port
from tests.django_app.browsing import SERVICES, FormReader, choose
from tests.django_app.catalogue import LOCAL, add_local_site, add_site
from tests.django_app.registry import StubRegistry
from tests.django_app.stub_site import GOOD_TOKEN, StubSite


def test_a_connection_is_tested_for_each_and_told_in_a_row(browser: httpx.Client, site: StubSite) -> None:
    away = f"http://127.0.0.1:{find_free_port()}"
    sites = [add_local_site(site.url, GOOD_TOKEN, name="Good"), add_local_site(away, name="Away <b>")]
    page = choose(browser, SERVICES, "test_connections", *(one.pk for one in sites)).text
    assert "2 sites: 1 unhealthy, 1 healthy." in page
    assert f"{SERVICES}{sites[0].pk}/change/" in page
    assert "Credential accepted: Token is valid." in page
    assert "The site could not be reached" in page
    assert "Check the address and its port" in page
    assert "Away &lt;b&gt;" in page


def test_the_page_can_be_asked_for_once_more(browser: httpx.Client, site: StubSite) -> None:
    one = add_local_site(site.url, name="Good")
    page = choose(browser, SERVICES, "test_connections", one.pk)
    site.body |= {"maintenace": True, "maintenaceMessage": "Back on Monday."}
    again = browser.post(SERVICES, data=FormReader(page.text).fields)
    assert "1 site: 1 degraded." in again.text


def test_all_sites_of_a_long_list_are_tested(browser: httpx.Client, site: StubSite) -> None:
    for number in range(120):
        add_local_site(site.url, name=f"Site {number}")
    token = FormReader(browser.get(SERVICES).text).fields["csrfmiddlewaretoken"]
    first = str(ImputationService.objects.values_list("pk", flat=True)[0])
    chosen = {"action": "test_connections", "_selected_action": first, "select_across": "1"}
    page = browser.post(SERVICES, data={**chosen, "csrfmiddlewaretoken": token}).text
    assert re.findall(r"120 sites: [^<]*", page) == ["120 sites: 120 healthy."]


@contextmanager
def serve_silence() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with create_server(("127.0.0.1", 0)) as listener:
        taken = []

        def take() -> None:
            try:
                while True:
                    taken.append(listener.accept())
            except OSError:
                pass

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_sites_that_keep_everybody_waiting_are_told_as_not_tried(site: StubSite) -> None:
    with serve_silence() as url:
        slow = ImputationService(name="Slow", api_type="michigan", base_url=url, api_config=LOCAL)
        good = ImputationService(name="Good", api_type="michigan", base_url=site.url, api_config=LOCAL)
        reports = asyncio.run(try_sites([slow, good], within_s=2))
    assert [report.status for report in reports] == ["unhealthy", "healthy"]
    assert "not tried" in reports[0].message


def test_health_is_checked_through_the_registry_and_told_in_rows(
    browser: httpx.Client, registry: StubRegistry, site: StubSite
) -> None:
    known, unknown = add_local_site(site.url, name="Known"), add_local_site(site.url, name="Unknown")
    registry.tell_health(known.pk)
    page = choose(browser, SERVICES, "check_healths", known.pk, unknown.pk).text
    assert "2 sites: 1 healthy, 1 not known." in page
    assert "12 ms" in page
    assert "The registry has not heard of this site yet" in page
    assert sorted(registry.probed) == sorted([str(known.pk), str(unknown.pk)])


def test_many_sites_are_pushed_each_as_a_new_version(
    browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    sites = [add_site(name="A"), add_site(name="B")]
    relay.deliver_due()
    page = choose(browser, SERVICES, "push_many", *(one.pk for one in sites)).text
    assert "2 sites: 2 pushed." in page
    assert page.count("The registry is told version 2 now.") == 2
    assert relay.deliver_due() == 2
    assert len(registry.received) == 4
