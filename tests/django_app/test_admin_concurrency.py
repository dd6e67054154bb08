"""Two curators at the same site: the second is told, and neither waits for the other in a circle."""

import threading
from collections.abc import Callable

import httpx
import pytest

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.relay import Relay
from tests.django_app.browsing import PANELS, SERVICES, FormReader
from tests.django_app.catalogue import add_panel, add_site
from tests.django_app.test_history import read_text


def open_form(browser: httpx.Client, path: str) -> dict[str, str]:
    form = FormReader(browser.get(path).text).fields
    return {name: value for name, value in form.items() if name and "__prefix__" not in name} | {"_save": "Save"}


def test_the_second_of_two_curators_is_told_what_the_first_changed(log_in: Callable[[str], httpx.Client]) -> None:
    first, second = log_in("curator@example.org"), log_in("admin@example.org")
    site = add_site()
    path = f"{SERVICES}{site.pk}/change/"
    forms = open_form(first, path), open_form(second, path)
    assert "was changed successfully" in first.post(path, data={**forms[0], "country": "ML"}).text
    refused = read_text(second.post(path, data={**forms[1], "name": "Overwritten"}))
    assert "Somebody else has saved this since you opened it, so nothing was saved now." in refused
    assert "curator@example.org at 20" in refused
    assert "(country)" in refused
    site.refresh_from_db()
    assert (site.country, site.name) == ("ML", "Server of Examples")
    repeated = {**open_form(second, path), "name": "Seen and renamed"}
    assert "was changed successfully" in second.post(path, data=repeated).text


def test_a_panel_that_changed_meanwhile_is_not_overwritten_by_its_sites_form(browser: httpx.Client) -> None:
    site = add_site()
    panel = add_panel(site)
    path = f"{SERVICES}{site.pk}/change/"
    form = open_form(browser, path)
    panel.populations = ["EAS"]
    panel.save()
    assert "Somebody else has saved this" in browser.post(path, data={**form, "name": "Renamed"}).text
    assert ReferencePanel.objects.get().populations == ["EAS"]
    form = open_form(browser, f"{PANELS}{panel.pk}/change/")
    panel.is_active = False
    panel.save()
    assert "Somebody else has saved this" in browser.post(f"{PANELS}{panel.pk}/change/", data=form).text
    assert not ReferencePanel.objects.get().is_active


def test_a_push_or_a_delivery_disturbs_nobodys_form(browser: httpx.Client, relay: Relay) -> None:
    site = add_site()
    path = f"{SERVICES}{site.pk}/change/"
    form = open_form(browser, path)
    relay.deliver_due()
    assert "was changed successfully" in browser.post(path, data={**form, "name": "Renamed"}).text


@pytest.mark.parametrize("seen", ["", "0-0", "nonsense", "1-99999999999999999999"])
def test_a_form_that_does_not_say_what_it_showed_changes_nothing(browser: httpx.Client, seen: str) -> None:
    site = add_site()
    path = f"{SERVICES}{site.pk}/change/"
    answer = browser.post(path, data={**open_form(browser, path), "name": "Forced", "seen_state": seen})
    assert "Somebody else has saved this" in answer.text
    assert ImputationService.objects.get().name == "Server of Examples"


def test_two_curators_who_delete_the_same_sites_at_once_do_not_deadlock(log_in: Callable[[str], httpx.Client]) -> None:
    browsers = [log_in("curator@example.org"), log_in("admin@example.org")]
    tokens = [FormReader(browser.get(SERVICES).text).fields["csrfmiddlewaretoken"] for browser in browsers]
    statuses: list[int] = []

    def delete(who: int, order: str, meeting: threading.Barrier) -> None:
        meeting.wait()
        chosen = {"action": "delete_selected", "select_across": "1", "_selected_action": "x", "post": "yes"}
        fields = {"csrfmiddlewaretoken": tokens[who], **chosen}
        statuses.append(browsers[who].post(f"{SERVICES}?o={order}", data=fields).status_code)

    for _ in range(3):
        for number in range(6):
            add_panel(add_site(name=f"Site {number}"))
        meeting = threading.Barrier(2)
        threads = [threading.Thread(target=delete, args=(who, order, meeting)) for who, order in ((0, "1"), (1, "-1"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not ImputationService.objects.exists()
    assert statuses == [200] * 6
    assert ImputationService.history.filter(history_type="-").count() == 18
