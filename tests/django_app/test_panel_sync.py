"""A site's panel list against ours: shown before it is applied, and then exactly what was shown."""

from collections.abc import Iterator

import httpx
import pytest

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.relay import Relay
from tests.django_app.browsing import PANELS, SERVICES, FormReader, choose, submit
from tests.django_app.catalogue import add_local_site, add_panel
from tests.django_app.registry import StubRegistry
from tests.django_app.stub_site import GOOD_TOKEN, StubSite, serve_site

G1000, H3AFRICA, MYSTERY = "apps@1000g-phase-3-v5@2.0.0", "apps@h3africa-v6hc-s@1.0.0", "apps@mystery@1.0.0"


@pytest.fixture
def other() -> Iterator[StubSite]:
    with serve_site() as site:
        yield site


def page_of(site: ImputationService) -> str:
    return f"{SERVICES}{site.pk}/sync-panels/"


def apply_page(
    browser: httpx.Client, page: httpx.Response, *, tick: tuple[str, ...] = (), **typed: str
) -> httpx.Response:
    """Send the page with the ticks that it came with, and these too."""
    reader = TickReader(page.text)
    fields = {**reader.fields, **typed}
    return browser.post(page.url, data={**fields, "accept": [*reader.ticked, *tick], "site": reader.sites})


class TickReader(FormReader):
    """`FormReader` keeps one value for each name; here every tick counts."""

    def __init__(self, page: str) -> None:
        self.ticked: list[str] = []
        self.offered: list[str] = []
        self.sites: list[str] = []
        super().__init__(page)
        self.fields = {name: value for name, value in self.fields.items() if name and name not in ("accept", "site")}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if given.get("name") == "accept":
            self.offered.append(given["value"])
            if "checked" in given:
                self.ticked.append(given["value"])
        if given.get("name") == "site":
            self.sites.append(given["value"])
        super().handle_starttag(tag, attributes)


def test_new_panels_are_shown_before_they_are_added_as_one_document(
    browser: httpx.Client, stored: ImputationService, registry: StubRegistry, relay: Relay
) -> None:
    relay.deliver_due()
    page = browser.get(page_of(stored))
    for words in (G1000, H3AFRICA, MYSTERY, "(hg19), populations: afr, eur, off", "does not tell its build"):
        assert words in page.text
    assert f'href="{page_of(stored)}"' in browser.get(f"{SERVICES}{stored.pk}/change/").text
    assert not ReferencePanel.objects.exists()
    done = apply_page(browser, page)
    assert "panels: 2 added." in done.text
    panels = {panel.panel_id: panel for panel in stored.panels.all()}
    assert set(panels) == {G1000, H3AFRICA}
    assert (panels[G1000].populations, panels[G1000].build) == (["afr", "eur", "off"], "hg19")
    assert panels[G1000].history.get().history_change_reason == "panel sync"
    assert relay.deliver_due() == 1
    assert len(registry.received[-1]["data"]["panels"]) == 2


def test_a_panel_whose_build_is_not_told_is_added_with_the_curators(
    browser: httpx.Client, stored: ImputationService
) -> None:
    key = f"{stored.pk}/{MYSTERY}/added"
    without = apply_page(browser, browser.get(page_of(stored)), tick=(key,))
    assert "no build was chosen: apps@mystery@1.0.0" in without.text
    assert "The site’s list" not in without.text
    apply_page(browser, browser.get(page_of(stored)), tick=(key,), **{f"build/{stored.pk}/{MYSTERY}": "hg38"})
    assert stored.panels.get(panel_id=MYSTERY).build == "hg38"


def test_a_panel_that_the_list_no_longer_has_is_marked_and_comes_back(
    browser: httpx.Client, stored: ImputationService, site: StubSite
) -> None:
    apply_page(browser, browser.get(page_of(stored)))
    taken = site.panels.pop(G1000)
    page = browser.get(page_of(stored))
    assert "no longer offered" in page.text
    assert "1 withdrawn" in apply_page(browser, page).text
    panel = stored.panels.get(panel_id=G1000)
    assert panel.withdrawn_at is not None
    assert panel.is_active, "what a curator decides is left to curators"
    assert "no longer offered" not in browser.get(page_of(stored)).text, "it is marked already"
    site.panels[G1000] = taken
    page = browser.get(page_of(stored))
    assert "offered again" in page.text
    apply_page(browser, page)
    assert stored.panels.get(panel_id=G1000).withdrawn_at is None


def test_a_withdrawn_panel_is_told_as_switched_off_until_the_list_has_it_again(
    browser: httpx.Client, stored: ImputationService, site: StubSite, registry: StubRegistry, relay: Relay
) -> None:
    def told() -> dict[str, bool]:
        relay.deliver_due()
        return {panel["panel_id"]: panel["is_active"] for panel in registry.received[-1]["data"]["panels"]}

    apply_page(browser, browser.get(page_of(stored)))
    assert told() == {G1000: True, H3AFRICA: True}
    taken = site.panels.pop(G1000)
    apply_page(browser, browser.get(page_of(stored)))
    assert told() == {G1000: False, H3AFRICA: True}
    panel = stored.panels.get(panel_id=G1000)
    assert "researchers cannot choose it" in browser.get(f"{PANELS}{panel.pk}/change/").text
    site.panels[G1000] = taken
    apply_page(browser, browser.get(page_of(stored)))
    assert told() == {G1000: True, H3AFRICA: True}


def test_the_sites_own_words_follow_the_site_and_a_curators_stay(
    browser: httpx.Client, stored: ImputationService, site: StubSite
) -> None:
    apply_page(browser, browser.get(page_of(stored)))
    panel = stored.panels.get(panel_id=G1000)
    submit(browser, f"{PANELS}{panel.pk}/change/", name="Thousand genomes")
    site.panels[G1000] = ("1000 Genomes, renamed (hg38)", ["afr", "amr"])
    page = browser.get(page_of(stored))
    for words in ("Thousand genomes", "1000 Genomes, renamed (hg38)", "written by curator@example.org on", "afr, amr"):
        assert words in page.text
    ticks = TickReader(page.text)
    fields = {key.rpartition("/")[2]: key for key in ticks.offered if G1000 in key}
    assert set(fields) == {"name", "populations", "build"}
    assert fields["name"] not in ticks.ticked
    assert {fields["populations"], fields["build"]} <= set(ticks.ticked)
    assert "1 updated" in apply_page(browser, page).text
    panel.refresh_from_db()
    assert (panel.name, panel.build, panel.populations) == ("Thousand genomes", "hg38", ["afr", "amr"])
    apply_page(browser, browser.get(page_of(stored)), tick=(fields["name"],))
    panel.refresh_from_db()
    assert panel.name == "1000 Genomes, renamed (hg38)"


def test_what_has_changed_since_it_was_shown_is_shown_again_and_not_applied(
    browser: httpx.Client, stored: ImputationService, site: StubSite
) -> None:
    page = browser.get(page_of(stored))
    site.panels["apps@late@1"] = ("Late (hg38)", [])
    shown = apply_page(browser, page)
    assert "has changed since it was shown. Nothing was applied" in shown.text
    assert "apps@late@1" in shown.text
    assert not stored.panels.exists()
    assert "3 added" in apply_page(browser, shown).text


def test_a_change_of_ours_since_it_was_shown_counts_too(browser: httpx.Client, stored: ImputationService) -> None:
    panel = add_panel(stored, name="Ours")
    page = browser.get(page_of(stored))
    panel.name = "Ours, renamed meanwhile"
    panel.save()
    shown = apply_page(browser, page)
    assert "Nothing was applied" in shown.text
    assert "Ours, renamed meanwhile" in shown.text


def test_equal_lists_say_so(browser: httpx.Client, stored: ImputationService, site: StubSite) -> None:
    del site.panels[MYSTERY]
    apply_page(browser, browser.get(page_of(stored)))
    page = browser.get(page_of(stored)).text
    assert "list and ours are the same" in page.replace("&#x27;", "'")
    assert "2 panels unchanged" in page
    assert "Apply what is ticked" not in page


def test_a_wes_site_says_that_it_offers_no_list(browser: httpx.Client, site: StubSite) -> None:
    wes = add_local_site(site.url, api_type="ga4gh")
    page = browser.get(page_of(wes)).text
    assert "WES sites offer no list of panels" in page
    assert site.seen == []


def test_a_resting_site_or_a_stranger_withdraws_nothing(
    browser: httpx.Client, stored: ImputationService, site: StubSite
) -> None:
    apply_page(browser, browser.get(page_of(stored)))
    site.body |= {"maintenace": True, "maintenaceMessage": "Back on Monday."}
    assert "Back on Monday." in browser.get(page_of(stored)).text
    site.body |= {"maintenace": False}
    stored.set_credential("")
    stored.save()
    page = browser.get(page_of(stored)).text
    assert "accounts only" in page
    assert "no longer offered" not in page
    assert not stored.panels.exclude(withdrawn_at=None).exists()


def test_many_sites_are_compared_and_applied_together(
    browser: httpx.Client, stored: ImputationService, site: StubSite, other: StubSite
) -> None:
    other.panels = {"apps@other@1": ("Other (hg38)", ["all"])}
    second = add_local_site(other.url, GOOD_TOKEN, name="Second")
    wes = add_local_site(site.url, api_type="ga4gh", name="Node")
    page = choose(browser, SERVICES, "sync_many", stored.pk, second.pk, wes.pk)
    for words in (G1000, "apps@other@1", "WES sites offer no list", "Second", "Node"):
        assert words in page.text
    site.panels["apps@late@1"] = ("Late (hg38)", [])
    reader = TickReader(page.text)
    fields = {**reader.fields, "accept": reader.ticked, "site": reader.sites}
    shown = browser.post(f"{SERVICES}sync-panels/", data=fields)
    assert "Second: panels: 1 added." in shown.text
    assert "apps@late@1" in shown.text, "this one changed meanwhile"
    assert (second.panels.count(), stored.panels.count()) == (1, 0)
    reader = TickReader(shown.text)
    done = browser.post(
        f"{SERVICES}sync-panels/", data={**reader.fields, "accept": reader.ticked, "site": reader.sites}
    )
    assert done.url.path == SERVICES
    assert stored.panels.count() == 3


def test_foreign_names_are_never_markup(browser: httpx.Client, stored: ImputationService, site: StubSite) -> None:
    site.panels = {'apps@x@1"><script>alert(1)</script>': ("<<script>alert(2)</script>b>X hg19", ["<i>", '"x'])}
    page = browser.get(page_of(stored))
    assert "<script>alert" not in page.text
    assert 'apps@x@1">' not in page.text
