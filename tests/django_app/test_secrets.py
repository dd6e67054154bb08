"""A site's credential is written and never shown: not on any page, in any answer, file, log line, or other table."""

import re
from collections.abc import Callable

import httpx
import pytest
from django.db import connection

from django_app.imputation.models import ImputationService
from django_app.outbox import recording
from django_app.outbox.relay import Relay
from tests.django_app.browsing import PANELS, SERVICES, FormReader, choose, submit
from tests.django_app.catalogue import add_panel
from tests.django_app.conftest import House
from tests.django_app.registry import StubRegistry
from tests.django_app.test_admin import NEW_SITE

SECRET = "token-that-nobody-may-see"
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
_LEFT_OUT = ("/admin/static/", "/admin/logout/", "/admin/jsi18n/")


def find_links(page: str) -> set[str]:
    found = re.findall(r'(?:href|action)="(/admin/[^"#]*)', page)
    return {link.replace("&amp;", "&") for link in found if not link.startswith(_LEFT_OUT)}


def walk(browser: httpx.Client) -> dict[str, httpx.Response]:
    """Every kind of page that links lead to: one of each, ids and filters aside."""
    seen: dict[str, httpx.Response] = {}
    waiting = {"/admin/", f"{SERVICES}import/", f"{PANELS}export/"}
    while waiting:
        link = waiting.pop()
        kind = _IDS.sub("*", link.partition("?")[0])
        if kind not in seen:
            seen[kind] = browser.get(link)
            waiting |= find_links(seen[kind].text)
    return seen


@pytest.fixture
def site(browser: httpx.Client) -> ImputationService:
    submit(browser, f"{SERVICES}add/", **NEW_SITE, new_credential=SECRET)
    site = ImputationService.objects.get()
    add_panel(site)
    return site


def hide_from(texts: dict[str, str], site: ImputationService) -> None:
    assert site.credential is not None
    for place, text in texts.items():
        assert SECRET not in text, place
        assert site.credential.stored not in text, place


def test_no_page_of_the_admin_shows_it(
    site: ImputationService, log_in: Callable[[str], httpx.Client], caplog: pytest.LogCaptureFixture
) -> None:
    pages = walk(log_in("admin@example.org"))
    assert f"{SERVICES}*/change/" in pages
    assert f"{SERVICES}*/history/" in pages
    assert f"{PANELS}*/change/" in pages
    assert {kind for kind, page in pages.items() if page.status_code >= 500} == set()
    hide_from({kind: page.text for kind, page in pages.items()}, site)
    assert "request" in caplog.text
    hide_from({"log": caplog.text}, site)
    assert "set on 20" in pages[f"{SERVICES}*/change/"].text


def test_no_answer_of_the_api_shows_it(site: ImputationService, curator: httpx.Client) -> None:
    paths = ["/services/", f"/services/{site.pk}/", "/panels/", "/sync-status/"]
    answers = {path: curator.get(path) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers[f"/services/{site.pk}/"].json()["credential_set_at"]
    answers["patch"] = curator.patch(f"/services/{site.pk}/", json={"credential": f"{SECRET}\n"})
    answers["push"] = curator.post(f"/services/{site.pk}/push/")
    hide_from({place: answer.text for place, answer in answers.items()}, site)


def test_it_is_in_no_table_but_its_own_and_there_encrypted(
    site: ImputationService, curator: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    key = {"Idempotency-Key": "with-a-credential"}
    curator.post("/services/", json={**NEW_SITE, "credential": SECRET}, headers=key)
    registry.refusals[site.subject] = 422
    relay.deliver_due()
    assert site.credential is not None
    found = {SECRET: set(), site.credential.stored: set()}  # type: dict[str, set[str]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT coalesce(string_agg(t::text, chr(10)), %s) FROM "{table}" t', [""])
            rows = cursor.fetchone()[0]
            for text, tables in found.items():
                if text in rows:
                    tables.add(table)
    assert found == {SECRET: set(), site.credential.stored: {"imputation_imputationservice"}}


def test_a_fault_while_it_is_saved_shows_it_neither_on_the_page_nor_in_the_log(
    house: House,
    browser: httpx.Client,
    curator: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError("no note")

    monkeypatch.setattr(recording, "_make_due", fail)
    page = submit(browser, f"{SERVICES}add/", **NEW_SITE, new_credential=SECRET)
    answer = curator.post("/services/", json={**NEW_SITE, "credential": SECRET})
    assert page.status_code == answer.status_code == 500
    log = caplog.text
    assert "RuntimeError" in log
    for text in (page.text, answer.text, log):
        assert SECRET not in text
    assert not ImputationService.objects.exists()


def test_deleting_a_site_does_not_tell_it(site: ImputationService, browser: httpx.Client) -> None:
    page = browser.get(f"{SERVICES}{site.pk}/delete/")
    chosen = choose(browser, SERVICES, "delete_selected", site.pk)
    exported = choose(browser, SERVICES, "export_admin_action", site.pk)
    file = browser.post(f"{SERVICES}export/", data={**FormReader(exported.text).fields, "format": "0"})
    hide_from({"one": page.text, "many": chosen.text, "form": exported.text, "file": file.text}, site)
    for asking in (page, chosen):
        assert "Runs that were not sent to a deleted site yet fail" in asking.text
