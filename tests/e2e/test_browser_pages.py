"""Every page of the interface, with what the demonstration left: nobody is shut out, and French is spoken on all."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Platform
from tests.e2e.curation import log_in_to_admin
from tests.e2e.inspection import WCAG, inspect
from tests.e2e.visits import Visit, log_in

pytestmark = pytest.mark.timeout(600)

LANGUAGES = Path(__file__).parents[2] / "frontend" / "src" / "shared" / "i18n"
NOBODY = "00000000-0000-4000-8000-000000000000"
ADMIN_PAGES = (
    "",
    "imputation/imputationservice/",
    "imputation/imputationservice/add/",
    "imputation/referencepanel/",
    "outbox/delivery/",
    "microservices/",
)


def settle(page: Page) -> None:
    """Until the page has what it asked for. Left any sooner, it might not have stored its next refresh token."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")


def list_routes(platform: Platform) -> list[str]:
    """The addresses of all pages behind the log-in, with one job and one site that are there and one of each not."""
    with platform.log_in("researcher") as client:
        site, job = client.list_services()[0]["id"], client.list_jobs()[0]["id"]
    fixed = [
        "/jobs",
        "/jobs/new",
        "/templates",
        "/templates/new",
        "/sites",
        "/notifications",
        "/account",
        "/operations",
        "/nowhere",
    ]
    return [*fixed, f"/jobs/{job}", f"/sites/{site}", f"/jobs/{NOBODY}", f"/sites/{NOBODY}"]


def test_axe_finds_nothing_on_any_page(platform: Platform, demo: str, visit: Visit) -> None:
    with visit(expected=[403, 404]) as page:
        for path, button in (("/login", "Log in"), ("/register", "Create an account")):
            page.goto(path)
            settle(page)
            inspect(page)
            page.get_by_role("button", name=button).click()  # with nothing filled in
            expect(page.get_by_text("Give an e-mail address")).to_be_visible()
            inspect(page)
        log_in(page, **platform.credentials["accounts"]["researcher"])
        for path in list_routes(platform):
            page.goto(path)
            settle(page)
            inspect(page)


def test_axe_finds_nothing_in_what_opens_on_a_page(platform: Platform, demo: str, visit: Visit) -> None:
    with visit() as page:
        log_in(page, **platform.credentials["accounts"]["researcher"])
        page.get_by_role("link", name="Demonstration").first.click()
        page.get_by_role("button", name="Delete the job").click()
        expect(page.get_by_role("dialog", name="Delete this job?")).to_be_visible()
        inspect(page)
        page.get_by_role("button", name="Keep it").click()
        page.get_by_role("link", name="Jobs", exact=True).click()
        page.get_by_role("combobox", name="Status").click()
        expect(page.get_by_role("option", name="Failed", exact=True)).to_be_visible()
        inspect(page, WCAG)  # the library's list lies beside the page's landmarks, over all of them


def test_the_menu_opens_on_a_narrow_screen(platform: Platform, visit: Visit) -> None:
    with visit(width=360) as page:
        log_in(page, **platform.credentials["accounts"]["operator"])
        page.get_by_role("button", name="Menu").click()
        menu = page.get_by_role("dialog")
        expect(menu.get_by_role("link", name="Operations")).to_be_visible()
        menu.get_by_role("link", name="Sites and panels").click()
        expect(menu).to_be_hidden()
        expect(page.get_by_role("heading", name="Sites and panels", level=1)).to_be_visible()


def test_the_curators_pages_keep_what_the_law_asks_for(platform: Platform, demo: str, visit: Visit) -> None:
    """Their frame is a library's: it does not follow all of axe's further advice."""
    with visit() as page:
        page.goto("/admin/")
        inspect(page, WCAG)
        log_in_to_admin(page, platform, "curator")
        for path in ADMIN_PAGES:
            answer = page.goto(f"/admin/{path}")
            assert (answer and answer.status, urlsplit(page.url).path) == (200, f"/admin/{path}")
            inspect(page, WCAG)


def test_french_is_spoken_on_every_page(platform: Platform, demo: str, visit: Visit) -> None:
    looked_at = {"researcher": list_routes(platform), "operator": ["/operations"]}
    for name, paths in looked_at.items():
        with visit(expected=[403, 404]) as page:
            choose_french(page)
            log_in_in_french(page, **platform.credentials["accounts"][name])
            for path in paths:
                page.goto(path)
                settle(page)
                assert find_english(page) == [], path


def choose_french(page: Page) -> None:
    page.goto("/register")
    page.get_by_role("button", name="FR, Français").click()
    expect(page.get_by_role("heading", name="Créer un compte")).to_be_visible()
    assert find_english(page) == []


def log_in_in_french(page: Page, email: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Adresse électronique").fill(email)
    page.get_by_label("Mot de passe").fill(password)
    assert find_english(page) == []
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", name="Travaux", level=1)).to_be_visible()


def flatten(tree: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)


def read_texts(language: str) -> dict[str, str]:
    return dict(flatten(json.loads((LANGUAGES / f"{language}.json").read_text())))


# What people read or hear, but for what is marked as English: the platform's messages, and names.
_READ_PAGE = """() => {
  const said = [];
  const isEnglish = (element) => element.closest('[lang]').lang === 'en';
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.checkVisibility() && !isEnglish(element)) said.push(walker.currentNode.textContent.trim());
  }
  for (const element of document.querySelectorAll('[aria-label], [title], [placeholder]'))
    if (!isEnglish(element))
      for (const name of ['aria-label', 'title', 'placeholder']) said.push((element.getAttribute(name) ?? '').trim());
  return [document.title.split(' · ')[0], ...said].filter((text) => text !== '');
}"""


def find_english(page: Page) -> list[str]:
    """What the page says in English, though it has French words for it; and keys that stand for a missing text."""
    english, french = read_texts("en"), read_texts("fr")
    assert page.evaluate("document.documentElement.lang") == "fr"
    kept = {text for text in english.values() if text in french.values()}
    phrases = [make_pattern(text) for text in english.values() if text not in kept]
    said: list[str] = page.evaluate(_READ_PAGE)
    assert said
    return [text for text in said if text in english or any(phrase.fullmatch(text) for phrase in phrases)]


def make_pattern(text: str) -> re.Pattern[str]:
    return re.compile(".+".join(re.escape(part) for part in re.split(r"\{\{\w+\}\}", text)))
