"""The history of every change: by whom, when, what; over real HTTP, and never with a secret."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import override_settings

from django_app.imputation.history import find_previous, list_changes
from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.models import Subject
from tests.django_app.browsing import PANELS, SERVICES, choose, submit
from tests.django_app.catalogue import SITE, add_panel, add_site
from tests.django_app.conftest import House

SITE_CHANGES = "/admin/imputation/historicalimputationservice/"
PANEL_CHANGES = "/admin/imputation/historicalreferencepanel/"
SECRET = "token-that-nobody-may-see"


def read_text(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page.text))


def told(model: Any) -> list[tuple[str, str, str | None]]:
    """(type, who, by way of) of all changes, the newest first."""
    return [(row.history_type, row.history_user_id, row.history_change_reason) for row in model.history.all()]


def last_changes(model: Any) -> dict[str, tuple[str, str]]:
    record = model.history.first()
    return {change.field: (change.old, change.new) for change in list_changes(record, find_previous(record))}


def test_a_form_is_recorded_with_its_curator_and_what_it_changed(browser: httpx.Client) -> None:
    site = add_site()
    submit(browser, f"{SERVICES}{site.pk}/change/", name="Renamed", api_config='{"poll_first_s": 5}')
    assert told(ImputationService)[0] == ("~", "curator@example.org", "admin")
    assert last_changes(ImputationService) == {
        "name": (SITE["name"], "Renamed"),
        "api config: poll_first_s": ("–", "5"),
    }
    assert told(ImputationService)[1] == ("+", "", "command")
    page = read_text(browser.get(f"{SERVICES}{site.pk}/history/"))
    assert f"name : {SITE['name']} → Renamed" in page
    assert "curator@example.org" in page
    assert "the platform" in page


def test_panels_are_part_of_their_sites_history(browser: httpx.Client) -> None:
    site = add_site()
    panel = add_panel(site)
    submit(browser, f"{SERVICES}{site.pk}/change/", **{"panels-0-populations": "AFR", "panels-0-samples_count": "2505"})
    submit(browser, f"{SERVICES}{site.pk}/change/", **{"panels-0-DELETE": "on"})
    page = read_text(browser.get(f"{SERVICES}{site.pk}/history/"))
    for words in ("populations : AFR, EUR → AFR", "samples count : 2504 → 2505", "Deleted panel 1000 Genomes"):
        assert words in page
    assert "populations : AFR, EUR → AFR" in read_text(browser.get(f"{PANELS}{panel.pk}/history/"))
    assert [row[0] for row in told(ReferencePanel)] == ["-", "~", "+"]


def test_what_is_deleted_keeps_its_history_and_is_found(browser: httpx.Client) -> None:
    site = add_site(name="Gone for good")
    panel = add_panel(site)
    choose(browser, SERVICES, "delete_selected", site.pk)
    assert ImputationService.objects.exists()
    token = {"csrfmiddlewaretoken": browser.cookies["imputehub_admin_csrf"]}
    chosen = {"action": "delete_selected", "_selected_action": str(site.pk), "post": "yes"}
    browser.post(SERVICES, data={**token, **chosen})
    assert not ImputationService.objects.exists()
    for model in (ImputationService, ReferencePanel):
        assert told(model)[0] == ("-", "curator@example.org", "admin")
    assert "Deleted site Gone for good" in read_text(browser.get(f"{SERVICES}{site.pk}/history/"))
    assert "Deleted panel" in read_text(browser.get(f"{PANELS}{panel.pk}/history/"))
    assert "Gone for good" in browser.get(f"{SITE_CHANGES}?history_type__exact=-&q=gone").text
    assert panel.name in browser.get(f"{PANEL_CHANGES}?history_type__exact=-").text


def test_nobody_writes_history_by_hand(log_in: Callable[[str], httpx.Client]) -> None:
    admin = log_in("admin@example.org")
    add_site()
    record = ImputationService.history.get()
    for path in (f"{SITE_CHANGES}add/", f"{SITE_CHANGES}{record.pk}/delete/", f"{PANEL_CHANGES}add/"):
        assert admin.get(path).status_code == 403, path
    answer = admin.post(f"{SITE_CHANGES}{record.pk}/change/", data={"name": "Forged"})
    assert answer.status_code == 403
    assert ImputationService.history.get().name == SITE["name"]


@pytest.mark.parametrize("id_", ["0b0e3c1e-5f3a-4c58-9c36-0a86a41a94c7", "not-an-id"])
def test_a_history_of_nothing_is_not_found(browser: httpx.Client, id_: str) -> None:
    assert browser.get(f"{SERVICES}{id_}/history/").status_code == 404


def test_the_api_is_recorded_with_its_caller(curator: httpx.Client, house: House) -> None:
    person = uuid4()
    headers = house.authority.person(["curator"], user_id=person)
    site = curator.post("/services/", json={**SITE, "credential": SECRET}, headers=headers).json()
    curator.patch(f"/services/{site['id']}/", json={"country": "ML"}, headers=headers)
    assert told(ImputationService) == [("~", f"user {person}", "API"), ("+", f"user {person}", "API")]
    assert last_changes(ImputationService) == {"country": ("ZA", "ML")}
    answer = curator.delete(f"/services/{site['id']}/", headers={**headers, "X-Request-ID": "deleted-by-request-1"})
    assert answer.status_code == 204
    record = ImputationService.history.first()
    assert (record.history_type, record.request_id) == ("-", "deleted-by-request-1")


@contextmanager
def serve_accounts(email: str) -> Iterator[str]:
    """A user_service that knows everybody by one e-mail address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/api/v1/users/me"
            assert self.headers["Authorization"].startswith("Bearer ")
            body = json.dumps({"email": email}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def know_accounts_at(url: str) -> override_settings:
    return override_settings(ENVIRONMENT=settings.ENVIRONMENT.model_copy(update={"authority_url": url}))


def test_a_caller_of_the_api_is_named_by_e_mail_address(curator: httpx.Client) -> None:
    curator.get("/services/")  # the keys are known from here on
    with serve_accounts("someone@example.org") as url, know_accounts_at(url):
        assert curator.post("/services/", json=SITE).status_code == 201
    assert told(ImputationService) == [("+", "someone@example.org", "API")]


def test_a_credential_is_in_no_record_but_when_it_was_set(browser: httpx.Client) -> None:
    site = add_site()
    submit(browser, f"{SERVICES}{site.pk}/change/", new_credential=SECRET)
    stored = ImputationService.objects.get().credential
    assert stored is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(h::text, ' ') FROM imputation_historicalimputationservice h")
        kept = cursor.fetchone()[0]
    assert SECRET not in kept
    assert stored.stored not in kept
    [(field, (old, new))] = last_changes(ImputationService).items()
    assert (field, old) == ("credential set", "–")
    assert new.startswith("20")
    assert "credential" not in {field.name for field in ImputationService.history.model._meta.fields}


def test_a_change_that_is_rolled_back_leaves_no_record(house: House) -> None:
    site = add_site()
    with transaction.atomic():
        site.name = "Never"
        site.save()
        transaction.set_rollback(True)
    assert [row[0] for row in told(ImputationService)] == ["+"]


def test_history_cannot_be_gone_around(house: House) -> None:
    site = add_site()
    site.skip_history_when_saving = True  # type: ignore[attr-defined]
    with override_settings(SIMPLE_HISTORY_ENABLED=False):
        site.save()
        site.delete()
    assert [row[0] for row in told(ImputationService)] == ["-", "~", "+"]
    assert not hasattr(site, "save_without_historical_record")


def test_a_record_costs_the_subject_no_version(house: House) -> None:
    site = add_site()
    assert Subject.objects.get(name=site.subject).version == 1
    site.save()
    assert Subject.objects.get(name=site.subject).version == 2


def test_long_histories_are_walked_page_by_page(browser: httpx.Client) -> None:
    site = add_site(name="Name 0")
    for number in range(1, 61):
        site.name = f"Name {number}"
        site.save()
    first = browser.get(f"{SERVICES}{site.pk}/history/").text
    assert "Name 59 → " in first
    assert "Name 9 → " not in first
    assert "Name 9 → " in browser.get(f"{SERVICES}{site.pk}/history/?p=2").text
