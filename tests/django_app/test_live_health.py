"""The sites' health in the admin: read through from the registry, and asked anew."""

import re

import httpx
import pytest

from django_app.imputation import live_health
from tests.django_app.browsing import SERVICES, choose
from tests.django_app.catalogue import add_site
from tests.django_app.registry import StubRegistry


def read_text(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page.text))


def test_the_list_shows_each_sites_health_and_asks_once_for_all(browser: httpx.Client, registry: StubRegistry) -> None:
    well, ill, fresh = add_site(name="Well"), add_site(name="Ill"), add_site(name="Fresh")
    registry.tell_health(well.pk)
    registry.tell_health(ill.pk, "unhealthy", response_time_ms=None, error_message="The site <b>is</b> away.")
    for _ in range(2):
        page = read_text(browser.get(SERVICES))
        assert "healthy 12 ms" in page
        assert "unhealthy The site &lt;b&gt;is&lt;/b&gt; away." in page
        assert page.count("not known to the registry yet") == 1
    assert registry.health_reads == 1
    assert "healthy 12 ms" in read_text(browser.get(f"{SERVICES}{well.pk}/change/"))
    registry.tell_health(fresh.pk, "unknown", response_time_ms=None, last_health_check=None)
    choose(browser, SERVICES, "check_healths", well.pk)
    assert "not checked yet" in browser.get(SERVICES).text


def test_a_registry_that_is_down_or_slow_keeps_no_page_waiting(
    browser: httpx.Client, registry: StubRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        add_site(name=f"Site {number}")
    registry.awake.clear()
    monkeypatch.setattr(live_health, "_READ_TIMEOUT_S", 60.0)  # whoever waits for the registry is told its answer
    live_health.get_live_health.cache_clear()
    for patience_s in (0.05, 60.0):  # those who come later share the patience of the first
        monkeypatch.setattr(live_health, "_PAGE_WAITS_S", patience_s)
        assert browser.get(SERVICES).text.count(live_health.NO_ANSWER) == 5
    registry.awake.set()
    live_health.get_live_health.cache_clear()
    registry.stop()
    try:
        assert live_health.NO_ANSWER in browser.get(SERVICES).text
    finally:
        registry.start()


def test_what_is_known_is_asked_for_again_after_a_while(
    browser: httpx.Client, registry: StubRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_health, "_KEPT_S", 0.0)
    site = add_site()
    registry.tell_health(site.pk)
    assert "healthy 12 ms" in read_text(browser.get(SERVICES))
    registry.tell_health(site.pk, "degraded")
    assert "degraded 12 ms" in read_text(browser.get(SERVICES))


def test_check_health_now_has_the_registry_probe_and_shows_what_it_found(
    browser: httpx.Client, registry: StubRegistry
) -> None:
    one, two, new = add_site(name="One"), add_site(name="Two"), add_site(name="New")
    registry.tell_health(one.pk)
    registry.tell_health(two.pk, "unhealthy", error_message="The site could not be reached.")
    page = read_text(choose(browser, SERVICES, "check_healths", one.pk, two.pk, new.pk))
    assert "One healthy 12 ms" in page
    assert "Two unhealthy 12 ms The site could not be reached." in page
    assert "New not known – The registry has not heard of this site yet; see its sync state." in page
    assert sorted(registry.probed) == sorted(str(site.pk) for site in (one, two, new))


def test_check_health_now_says_when_the_registry_is_away(browser: httpx.Client, registry: StubRegistry) -> None:
    site = add_site()
    page = browser.get(SERVICES)
    registry.stop()
    try:
        answer = choose(browser, SERVICES, "check_healths", site.pk)
    finally:
        registry.start()
    assert page.status_code == answer.status_code == 200
    assert f"{site.name} not known – {live_health.NO_ANSWER.capitalize()}." in read_text(answer)


def test_a_sites_page_says_what_can_be_counted_on_there(browser: httpx.Client, registry: StubRegistry) -> None:
    told = {"lists_panels": True, "finds_by_mark": False, "cancels": None}
    told |= dict.fromkeys(("hands_out_results", "resumes_downloads", "takes_files"))
    known, new = add_site(name="Known"), add_site(name="New")
    registry.tell_health(known.pk, capabilities=told)
    registry.tell_health(new.pk)
    page = read_text(browser.get(f"{SERVICES}{known.pk}/change/"))
    assert "Finds a lost submission no: after a lost answer somebody has to ask the site&#x27;s operators" in page
    assert "Cancels runs not told" in page
    assert "not known before it has answered" in read_text(browser.get(f"{SERVICES}{new.pk}/change/"))
