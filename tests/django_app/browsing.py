"""Staff accounts, and the admin's forms as a browser fills them in."""

import io
import json
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import call_command

PASSWORD = "long-enough-for-a-test"
ACCOUNTS = [
    {"email": "Curator@example.org", "password": PASSWORD, "full_name": "Example Curator", "roles": ["curator"]},
    {"email": "admin@example.org", "password": PASSWORD, "full_name": "Example Admin", "roles": ["admin"]},
    {"email": "operator@example.org", "password": PASSWORD, "full_name": "Example Operator", "roles": ["operator"]},
    {"email": "researcher@example.org", "password": PASSWORD, "full_name": "Example", "roles": ["researcher"]},
]
SERVICES = "/admin/imputation/imputationservice/"
PANELS = "/admin/imputation/referencepanel/"


class QuickHasher(Argon2PasswordHasher):
    """The hasher that Django is configured with, but for its price: 100 MiB and 0.3 s, paid for every account."""

    time_cost, memory_cost, parallelism = 1, 8, 1


class FormReader(HTMLParser):
    """The fields of a page's forms as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "input" and given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.fields[given["name"]] = given.get("value", "on")
        elif tag == "input" and given.get("name") and given.get("type") not in ("submit", "button", "file"):
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
            self.fields.setdefault(self._select, "")
        elif tag == "option" and "selected" in given:
            self.fields[self._select] = given["value"]
        elif tag == "textarea":
            self._textarea = given["name"]
            self.fields[self._textarea] = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""


def ensure_staff(accounts: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(accounts if isinstance(accounts, str) else json.dumps(accounts)))
        call_command("ensure_staff", verbosity=0)


def submit(browser: httpx.Client, path: str, **changes: str) -> httpx.Response:
    """Load a page, change some of its fields, and send the form."""
    form = FormReader(browser.get(path).text).fields
    changes = {"_save": "Save", **changes}
    fields = {name: value for name, value in form.items() if name and "__prefix__" not in name}
    return browser.post(path, data={**fields, **changes})


def choose(browser: httpx.Client, path: str, action: str, *ids: Any) -> httpx.Response:
    """Tick these rows of a list and carry out one of its actions."""
    token = FormReader(browser.get(path).text).fields["csrfmiddlewaretoken"]
    chosen = {"action": action, "_selected_action": [str(row) for row in ids], "csrfmiddlewaretoken": token}
    return browser.post(path, data=chosen)
