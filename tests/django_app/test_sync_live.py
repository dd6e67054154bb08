"""A page of the admin that is open shows how far the registry is within 2 s, without being loaded again."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from django_app.outbox.models import Delivery
from django_app.outbox.relay import Relay
from tests.django_app.browsing import SERVICES, choose
from tests.django_app.catalogue import add_site
from tests.django_app.conftest import House
from tests.django_app.registry import StubRegistry
from tests.e2e.chromium import launch_chromium

STATES = "/admin/outbox/delivery/states/"
WITHIN_MS = 2000
REFUSED = "failed, waits for a change or a retry: 422: refused: no such field"

Elsewhere = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Django's database in a thread of its own: the browser's driver has a running event loop in this one."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        yield lambda work: thread.submit(run, work).result(timeout=30)


@pytest.fixture
def page(house: House, browser: httpx.Client) -> Iterator[Page]:
    """Chromium with the curator's log-in."""
    cookies = [{"name": cookie.name, "value": cookie.value or "", "url": house.url} for cookie in browser.cookies.jar]
    with launch_chromium() as chromium:
        context = chromium.new_context(base_url=house.url)
        context.add_cookies(cookies)  # type: ignore[arg-type]
        yield context.new_page()
        context.close()


@pytest.mark.parametrize("shown_on", ["list", "detail"])
def test_an_open_page_follows_the_deliveries(
    page: Page, registry: StubRegistry, relay: Relay, elsewhere: Elsewhere, shown_on: str
) -> None:
    site = elsewhere(add_site)
    page.goto(SERVICES if shown_on == "list" else f"{SERVICES}{site.pk}/change/")
    state = page.locator(f'[data-sync-subject="{site.subject}"]')
    expect(state).to_have_text("pending")
    page.evaluate("window.neverLoadedAgain = true")
    elsewhere(relay.deliver_due)
    expect(state).to_have_text("in sync", timeout=WITHIN_MS)
    elsewhere(site.save)
    expect(state).to_have_text("pending", timeout=WITHIN_MS)
    registry.refusals[site.subject] = 422
    elsewhere(relay.deliver_due)
    expect(state).to_have_text(REFUSED, timeout=WITHIN_MS)
    assert page.evaluate("window.neverLoadedAgain") is True


def test_states_are_told_of_the_asked_for_subjects_to_staff_alone(
    house: House, browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    told, refused, other = (add_site(name=name) for name in ("Told", "Refused", "Other"))
    registry.refusals[refused.subject] = 422
    relay.deliver_due()
    other.save()
    asked = f"{told.subject},{refused.subject},site/unheard-of,%00"
    assert browser.get(f"{STATES}?subjects={asked}").json() == {told.subject: "in sync", refused.subject: REFUSED}
    assert browser.get(STATES).json() == {}
    assert httpx.get(f"{house.url}{STATES}").status_code == 302


def test_metrics_tell_what_waits_what_is_refused_and_since_when(
    house: House, registry: StubRegistry, relay: Relay
) -> None:
    registry.refusals[add_site().subject] = 422
    relay.deliver_due()
    add_site(name="Waiting")
    lines = dict(line.rsplit(" ", 1) for line in httpx.get(f"{house.url}/metrics").text.splitlines() if " " in line)
    measured = {name: float(lines[f'outbox_{name}{{subscriber="service_registry"}}']) for name in ("depth", "parked")}
    assert measured == {"depth": 2, "parked": 1}
    assert 0 < float(lines['outbox_oldest_age_seconds{subscriber="service_registry"}']) < 60


def test_what_is_refused_is_seen_with_its_error_and_can_be_tried_again(
    browser: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    site = add_site()
    registry.refusals[site.subject] = 422
    relay.deliver_due()
    listed = browser.get("/admin/outbox/delivery/?state=parked").text
    assert site.subject in listed
    assert "422: refused: no such field" in listed
    registry.refusals.clear()
    choose(browser, "/admin/outbox/delivery/", "retry_now", Delivery.objects.get().pk)
    assert relay.deliver_due() == 1
    assert len(registry.about(site.subject)) == 1
