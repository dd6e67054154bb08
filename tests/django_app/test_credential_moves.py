"""A stored credential was given to one host: nobody can have it sent to another one by moving its site."""

import httpx
import pytest

from django_app.imputation.models import ImputationService
from tests.django_app.browsing import SERVICES, submit
from tests.django_app.catalogue import add_site

SECRET, OTHER = "token-that-nobody-may-see", "https://elsewhere.example.org"


def add_closed_site(**fields: object) -> ImputationService:
    site = add_site(base_url="https://imputation.example.org/a", **fields)
    site.set_credential(SECRET)
    site.save()
    return site


def reveal(site: ImputationService) -> str | None:
    site.refresh_from_db()
    return site.credential.reveal() if site.credential else None


@pytest.mark.parametrize(
    "move",
    [
        {"base_url": OTHER},
        {"base_url": "http://imputation.example.org/a"},
        {"base_url": "https://imputation.example.org:8443/a"},
        {"api_config": {"token_url": f"{OTHER}/token"}},
    ],
)
def test_the_api_moves_a_credential_only_with_who_knows_it(curator: httpx.Client, move: dict[str, object]) -> None:
    site = add_closed_site(api_type="ga4gh")
    path = f"/services/{site.pk}/"
    refused = curator.patch(path, json=move)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "credential")
    site.refresh_from_db()
    assert (site.base_url, site.api_config) == ("https://imputation.example.org/a", {})
    assert curator.patch(path, json={**move, "credential": "a-new-one"}).status_code == 200
    assert reveal(site) == "a-new-one"


def test_a_site_keeps_its_credential_on_its_host_and_without_one_moves_freely(curator: httpx.Client) -> None:
    site, open_site = add_closed_site(), add_site(name="Open")
    assert curator.patch(f"/services/{site.pk}/", json={"base_url": "https://imputation.example.org/b"}).is_success
    assert reveal(site) == SECRET
    assert curator.patch(f"/services/{site.pk}/", json={"base_url": OTHER, "credential": None}).is_success
    assert reveal(site) is None
    assert curator.patch(f"/services/{open_site.pk}/", json={"base_url": OTHER}).is_success


def test_the_form_moves_a_credential_only_with_who_knows_it(browser: httpx.Client) -> None:
    site = add_closed_site()
    path = f"{SERVICES}{site.pk}/change/"
    refused = submit(browser, path, base_url=OTHER)
    assert "was not given for https://elsewhere.example.org" in refused.text
    assert reveal(site) == SECRET
    assert site.base_url == "https://imputation.example.org/a"
    submit(browser, path, base_url=OTHER, new_credential="a-new-one")
    assert (reveal(site), site.base_url) == ("a-new-one", OTHER)
