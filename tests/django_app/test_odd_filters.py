"""Filters that nobody chooses on a page, but that an address can hold: each shows the list, none is a fault of ours."""

import httpx
import pytest

from tests.django_app.browsing import PANELS, SERVICES, choose
from tests.django_app.catalogue import add_site

SITE_CHANGES = "/admin/imputation/historicalimputationservice/"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (SERVICES, {"country": "Z\x00"}),
        (SERVICES, {"q": "\x00"}),
        (PANELS, {"build": "\x00"}),
        (SITE_CHANGES, {"history_type": "\x00"}),
        (SITE_CHANGES, {"history_date__year": "9" * 30}),
        (SITE_CHANGES, {"history_date__year": str(2**31)}),
        (SITE_CHANGES, {"history_date__gte": "0001-01-01T00:00:00+23:59"}),
    ],
)
def test_a_list_that_is_asked_for_what_cannot_be_is_shown_whole(
    browser: httpx.Client, path: str, query: dict[str, str]
) -> None:
    add_site()
    answer = browser.get(path, params=query)
    assert answer.status_code == 200
    assert "changelist" in answer.text


@pytest.mark.parametrize("action", ["test_connections", "delete_selected"])
def test_an_action_on_rows_that_cannot_be_is_carried_out_on_none(browser: httpx.Client, action: str) -> None:
    site = add_site()
    answer = choose(browser, SERVICES, action, "x", site.pk)
    assert answer.status_code == 200
    assert "changelist" in answer.text
    assert "Are you sure" not in answer.text
