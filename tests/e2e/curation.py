"""The curators' pages as somebody uses them, and sites that a test has for itself."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, expect

from imputehub.demo.catalogue import describe_cloudgene_site
from tests.e2e.conftest import Platform
from tests.waiting import wait_until

SITES = "/admin/imputation/imputationservice/"
_CURATED = "/api/v1/curation/services/"


def log_in_to_admin(page: Page, platform: Platform, name: str, *, at: str = "/admin/") -> None:
    """With an account of the platform; they come to where they wanted to go."""
    account = platform.credentials["accounts"][name]
    page.goto(at)
    page.get_by_label("E-mail").fill(account["email"])
    page.get_by_label("Password").fill(account["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(f"{at}$"))
    expect(page.get_by_role("link", name="Microservices").first).to_be_visible()


def find_address(platform: Platform, process: str) -> str:
    return f"http://127.0.0.1:{platform.processes()[process]['port']}"


def name_site() -> str:
    return f"New site {uuid4().hex[:6]}"


@contextmanager
def curated_site(platform: Platform) -> Iterator[dict[str, Any]]:
    """A site without panels, with an account at the sandbox's server, for as long as it is needed."""
    url = find_address(platform, "sandbox_site")
    credential = platform.newcomer_token
    wish = {**describe_cloudgene_site(url), "name": name_site(), "credential": credential}
    with platform.log_in("curator") as curator:
        site = curator.call("POST", _CURATED, json=wish, headers={"Idempotency-Key": uuid4().hex})
    try:
        yield site
    finally:
        remove_site(platform, site["name"])


def edit_site(platform: Platform, site: dict[str, Any], **changes: Any) -> None:
    """By the API, as another curator would."""
    with platform.log_in("curator") as curator:
        curator.call("PATCH", f"{_CURATED}{site['id']}/", json=changes)


def remove_site(platform: Platform, name: str) -> None:
    """Until it is gone from the registry too: other tests take the catalogue as they find it."""
    with platform.log_in("curator") as curator:
        for site in curator.list_all(_CURATED):
            if site["name"] == name:
                curator.call("DELETE", f"{_CURATED}{site['id']}/")
        wait_until(lambda: all(site["name"] != name for site in curator.list_services()), f"{name} is forgotten")
