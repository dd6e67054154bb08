"""The lists that curators look at: what they show, and what they can be narrowed by."""

import re
from typing import Any

import httpx
import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_app.imputation import live_health
from django_app.imputation.admin import ServiceAdmin
from django_app.imputation.models import ImputationService
from tests.django_app.browsing import PANELS, SERVICES, FormReader, submit
from tests.django_app.catalogue import add_panel, add_site
from tests.django_app.conftest import House
from tests.django_app.registry import StubRegistry
from tests.django_app.test_history import read_text


def names_in(page: httpx.Response) -> set[str]:
    return {name for name in ("Well", "Ill", "Fresh", "Silent") if f">{name}<" in page.text}


@pytest.fixture
def sites(registry: StubRegistry) -> None:
    well, ill, _, silent = (add_site(name=name) for name in ("Well", "Ill", "Fresh", "Silent"))
    registry.tell_health(well.pk)
    registry.tell_health(ill.pk, "unhealthy", error_message="The site is away.")
    registry.tell_health(silent.pk, "unhealthy", auto_deactivated_at="2026-10-01T08:00:00Z")


@pytest.mark.parametrize(
    ("health", "found"),
    [
        ("healthy", {"Well"}),
        ("unhealthy", {"Ill", "Silent"}),
        ("degraded", set()),
        ("unknown", {"Fresh"}),
        ("auto_deactivated", {"Silent"}),
        ("nonsense", {"Well", "Ill", "Fresh", "Silent"}),
    ],
)
@pytest.mark.usefixtures("sites")
def test_sites_are_found_by_their_health(browser: httpx.Client, health: str, found: set[str]) -> None:
    assert names_in(browser.get(f"{SERVICES}?health={health}")) == found


@pytest.mark.usefixtures("sites")
def test_while_the_registry_is_away_every_sites_health_is_unknown(
    browser: httpx.Client, registry: StubRegistry
) -> None:
    registry.stop()
    live_health.get_live_health.cache_clear()
    try:
        assert len(names_in(browser.get(f"{SERVICES}?health=unknown"))) == 4
        assert names_in(browser.get(f"{SERVICES}?health=healthy")) == set()
    finally:
        registry.start()


@pytest.mark.usefixtures("sites")
def test_the_registrys_switch_is_shown_beside_the_curators(browser: httpx.Client) -> None:
    page = browser.get(f"{SERVICES}?health=auto_deactivated")
    assert "auto-deactivated since 2026-10-01" in read_text(page)
    [link] = set(re.findall(f"{SERVICES}[0-9a-f-]+/change/", page.text))
    site_page = browser.get(link)
    assert "since 2026-10-01 08:00 UTC, after long silence" in read_text(site_page)
    assert "2026-11-22 10:00 UTC" in site_page.text
    assert FormReader(site_page.text).fields["is_active"] == "on"


def test_panels_that_a_site_has_withdrawn_are_marked_and_found(browser: httpx.Client) -> None:
    site = add_site()
    add_panel(site, panel_id="offered")
    add_panel(site, panel_id="withdrawn", withdrawn_at=timezone.now())
    withdrawn = browser.get(f"{PANELS}?withdrawn_at__isempty=0").text
    assert ">withdrawn<" in withdrawn
    assert ">offered<" not in withdrawn


def test_a_site_with_very_many_panels_shows_and_saves_them_page_by_page(browser: httpx.Client) -> None:
    site = add_site()
    for number in range(53):
        add_panel(site, panel_id=f"panel-{number:02}", name=f"Panel {number:02}")
    path = f"{SERVICES}{site.pk}/change/"
    first = FormReader(browser.get(path).text).fields
    assert first["panels-49-name"] == "Panel 49"
    assert "panels-50-name" not in first
    answer = submit(browser, f"{path}?panels-page=2", **{"panels-2-name": "Renamed on page 2"})
    assert "was changed successfully" in answer.text
    assert site.panels.get(panel_id="panel-52").name == "Renamed on page 2"
    assert site.panels.count() == 53


def test_the_number_of_questions_to_the_database_does_not_grow_with_the_sites(house: House) -> None:
    for number in range(3):
        add_panel(add_site(name=f"Site {number}"))
    page = ServiceAdmin(ImputationService, admin.site)
    with CaptureQueriesContext(connection) as queries:
        rows: list[Any] = list(page.get_queryset(RequestFactory().get("/")))
        assert [page.panel_count(row) for row in rows] == [1, 1, 1]
        assert ["pending" in page.sync_state(row) for row in rows] == [True] * 3
    assert len(queries) == 1
