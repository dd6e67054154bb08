"""Test connection: the button of one site, the action on many, and the API."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from django_app.imputation.models import ImputationService
from tests.django_app.browsing import SERVICES, FormReader
from tests.django_app.catalogue import LOCAL, add_local_site, add_site
from tests.django_app.registry import StubRegistry
from tests.django_app.stub_site import GOOD_TOKEN, StubSite, make_tls, serve_site


def try_site(curator: httpx.Client, site: ImputationService) -> dict[str, Any]:
    answer = curator.post(f"/services/{site.pk}/test-connection/")
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert report["service_id"] == str(site.pk)
    return report


def test_a_site_that_answers_is_reported_with_latency_and_version(curator: httpx.Client, site: StubSite) -> None:
    report = try_site(curator, add_local_site(site.url))
    assert (report["status"], report["version"], report["credential"]) == ("healthy", "2.0.8", None)
    assert 0 < report["response_time_ms"] < 5000
    assert report["message"] == "Stub site answers."
    assert (report["tls"], report["fix"]) == ("No TLS: plain http.", "")
    assert report["tested_at"].endswith("Z")


def test_a_credential_that_is_set_is_tried_and_never_shown(curator: httpx.Client, site: StubSite) -> None:
    good = try_site(curator, add_local_site(site.url, GOOD_TOKEN))
    assert (good["credential"]["valid"], good["credential"]["account"]) == (True, "curator")
    bad = try_site(curator, add_local_site(site.url, "token-of-yesterday"))
    assert (bad["status"], bad["credential"]["valid"]) == ("healthy", False)
    assert bad["credential"]["message"] == "Invalid token."
    assert site.tokens == [GOOD_TOKEN, "token-of-yesterday"]
    assert GOOD_TOKEN not in str(good)
    assert "token-of-yesterday" not in str(bad)


def test_a_site_in_maintenance_is_reported_in_its_own_words(curator: httpx.Client, site: StubSite) -> None:
    site.body |= {"maintenace": True, "maintenaceMessage": "Back on <b>Monday</b>."}
    report = try_site(curator, add_local_site(site.url))
    assert (report["status"], report["message"]) == ("degraded", "Back on Monday.")


def test_a_certificate_that_nobody_trusts_is_named_until_its_authority_is_stored(
    curator: httpx.Client, tmp_path: Path
) -> None:
    tls, pem = make_tls(tmp_path)
    with serve_site(tls) as site:
        refused = try_site(curator, add_local_site(site.url))
        trusted = try_site(curator, add_local_site(site.url, ca_pem=pem))
    assert refused["status"] == "unhealthy"
    assert refused["tls"] == "TLS: the certificate is refused: self-signed certificate."
    assert "store its CA certificate" in refused["fix"]
    assert trusted["status"] == "healthy"
    assert trusted["tls"] == "TLS: the certificate is verified (the stored CA certificate is trusted too)."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_url": "http://127.0.0.1:1", "api_config": LOCAL}, "could not be reached"),
        ({"base_url": "https://127.0.0.1:1"}, "private"),
        ({"base_url": "http://imputation.example.org"}, "plain http"),
        ({"api_config": {"poll_first_s": -1}}, "api_config is not valid"),
        ({"ca_pem": "no certificate"}, "not readable as PEM"),
    ],
)
def test_a_site_that_cannot_be_tried_is_reported_in_words(
    curator: httpx.Client, changes: dict[str, Any], words: str
) -> None:
    report = try_site(curator, add_site(**changes))
    assert (report["status"], report["response_time_ms"]) == ("unhealthy", None)
    assert words in report["message"]


def test_the_buttons_of_a_sites_page_act_on_a_form_and_not_on_a_link(
    browser: httpx.Client, registry: StubRegistry, site: StubSite
) -> None:
    stored = add_local_site(site.url, GOOD_TOKEN)
    registry.tell_health(stored.pk)
    page = browser.get(f"{SERVICES}{stored.pk}/change/").text
    for action, words in (
        ("test-connection", "Server of Examples: healthy, "),
        ("check-health", "Server of Examples: healthy, 12 ms"),
        ("push", "Server of Examples: pushed. The registry is told version "),
    ):
        path = f"{SERVICES}{stored.pk}/{action}/"
        assert f'href="{path}"' in page
        question = browser.get(path)
        assert (question.status_code, site.tokens[1:], registry.probed[1:]) == (200, [], [])
        assert browser.post(path).status_code == 403  # without the form's token
        answer = browser.post(path, data=FormReader(question.text).fields)
        assert answer.url.path == f"{SERVICES}{stored.pk}/change/"
        assert words in answer.text
    assert site.tokens == [GOOD_TOKEN]
    assert registry.probed == [str(stored.pk)]
    assert browser.get("/admin/static/imputation/post_actions.js").status_code == 200
