"""What curators and operators do in the admin: set a site up, act on sites, mend services, look after jobs."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Platform
from tests.e2e.curation import (
    SITES,
    curated_site,
    edit_site,
    find_address,
    log_in_to_admin,
    name_site,
    remove_site,
)
from tests.e2e.inspection import WCAG, inspect
from tests.e2e.test_platform import submit_demo_job
from tests.e2e.visits import Visit, log_in

pytestmark = pytest.mark.timeout(600)

RESTARTED_MS, CANCELLED_MS = 60_000, 60_000


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def expect_step(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()


def give_address(page: Page, url: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Sites", exact=True).click()
    follow(page, "Set up a site")
    page.get_by_label("Address").fill(url)
    page.get_by_label("Private network, or plain http").check()
    inspect(page, WCAG)
    press(page, "Ask the site")
    expect_step(page, "What answered")
    inspect(page, WCAG)


def test_a_site_that_a_curator_sets_up_is_offered_to_researchers(platform: Platform, demo: str, visit: Visit) -> None:
    name = name_site()
    url = find_address(platform, "sandbox_site")
    token = platform.newcomer_token
    try:
        with visit() as researcher, visit() as curator:
            log_in(researcher, **platform.credentials["accounts"]["researcher2"], at="/sites")
            log_in_to_admin(curator, platform, "curator")
            give_address(curator, url)
            name_and_open(curator, name, token)
            [panel] = choose_panels(curator)
            save_set_up(curator, name, panel)
            card = researcher.get_by_role("article").filter(has_text=name)
            expect(card.get_by_text("Healthy")).to_be_visible()
            card.get_by_role("link").first.click()
            expect(researcher.get_by_text(panel).first).to_be_visible()
    finally:
        remove_site(platform, name)


def name_and_open(page: Page, name: str, token: str) -> None:
    """Steps two and three; who goes back finds again what they had entered."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Country").fill("ZA")
    press(page, "Continue")
    expect_step(page, "Access")
    inspect(page, WCAG)
    press(page, "Back")
    expect(page.get_by_label("Name")).to_have_value(name)
    press(page, "Continue")
    page.get_by_label("Curated credential").fill("not a token of the site")
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("does not accept this credential")
    inspect(page, WCAG)
    page.get_by_label("Curated credential").fill(token)
    press(page, "Continue")
    expect_step(page, "Panels")


def choose_panels(page: Page) -> list[str]:
    """All that the site lists; their names."""
    offers = page.get_by_role("checkbox", name=re.compile("^Offer "))
    expect(offers.first).to_be_visible()
    inspect(page, WCAG)
    for offer in offers.all():
        offer.check()
    names = [box.input_value() for box in page.get_by_role("textbox", name=re.compile("^Name of ")).all()]
    press(page, "Continue")
    expect_step(page, "Review")
    return names


def save_set_up(page: Page, name: str, panel: str) -> None:
    credential = page.locator("dt", has_text="Credential").locator("+ dd")
    expect(credential).to_contain_text("accepted by the site")
    expect(page.get_by_role("rowheader", name=panel)).to_be_visible()
    inspect(page, WCAG)
    press(page, "Save the site")
    expect(page.get_by_text(f"{name} was saved with 1 panel; the registry is told now.")).to_be_visible()
    inspect(page, WCAG)


def test_the_set_up_tells_what_a_workflow_site_says_of_itself(platform: Platform, visit: Visit) -> None:
    with visit() as page:
        log_in_to_admin(page, platform, "curator")
        give_address(page, url := find_address(platform, "sandbox_wes"))
        facts = {"Interface": "GA4GH WES", "Engines": "sandbox", "File systems": "http", "Now": "QUEUED: "}
        for fact, words in {**facts, "Contact": "https://example.org/"}.items():
            expect(page.get_by_role("term").filter(has_text=fact).locator("+ dd").first).to_contain_text(words)
        press(page, "Back")
        expect(page.get_by_label("Address")).to_have_value(url)
        expect(page.get_by_label("Private network, or plain http")).to_be_checked()
        press(page, "Give up")
        expect(page.get_by_text("The set-up was given up; nothing was saved.")).to_be_visible()


def test_a_site_is_tried_probed_told_and_compared_from_its_page(platform: Platform, demo: str, visit: Visit) -> None:
    with curated_site(platform) as site, visit() as page:
        name, path = site["name"], f"{SITES}{site['id']}/change/"
        log_in_to_admin(page, platform, "curator", at=path)
        for act, answer in (
            ("Test connection", f"{name}: healthy, "),
            ("Check health now", f"{name}: healthy, "),
            ("Push to registry", f"{name}: pushed. The registry is told version"),
        ):
            follow(page, act)
            expect(page.get_by_text(answer)).to_be_visible()
        inspect(page, WCAG)
        follow(page, "Sync panels")
        addition = page.get_by_role("checkbox", name=re.compile("Add it"))
        expect(addition).to_be_checked()
        inspect(page, WCAG)
        press(page, "Apply what is ticked")
        expect(page.get_by_text(f"{name}: panels: 1 added.")).to_be_visible()
        follow(page, "Sync panels")
        expect(page.get_by_text("The site's list and ours are the same.")).to_be_visible()
        follow(page, "Back, changing nothing")
        expect(page).to_have_url(re.compile(f"{path}$"))


def find_row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def act_on_many(page: Page, names: list[str], act: str) -> None:
    for name in names:
        find_row(page, name).get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option(label=act)
    press(page, "Run")


def test_many_sites_are_tried_at_once_with_a_row_for_each(platform: Platform, demo: str, visit: Visit) -> None:
    down = "Sandbox node that is down"
    with curated_site(platform) as site, visit() as page:
        log_in_to_admin(page, platform, "curator", at=SITES)
        act_on_many(page, [site["name"], down], "Test connection")
        for _ in range(2):
            expect(page.get_by_role("status")).to_have_text("2 sites: 1 healthy, 1 unhealthy.")
            expect(find_row(page, site["name"])).to_contain_text(re.compile("healthy.*ms", re.IGNORECASE | re.DOTALL))
            expect(find_row(page, down)).to_contain_text("refused")
            inspect(page, WCAG)
            press(page, "Once more")
        follow(page, "Back to the sites")
        expect(page).to_have_url(re.compile(f"{SITES}$"))


def test_an_open_list_tells_that_the_registry_was_away_and_is_in_sync(
    platform: Platform, demo: str, visit: Visit
) -> None:
    with curated_site(platform) as site, visit() as page:
        log_in_to_admin(page, platform, "curator", at=SITES)
        state = find_row(page, site["name"]).locator("[data-sync-subject]")
        expect(state).to_have_text("in sync")
        page.evaluate("window.sameDocument = true")
        platform.command("stop", "service_registry")
        try:
            edit_site(platform, site, location="elsewhere")
            expect(state).to_contain_text("failed, is tried again")
        finally:
            platform.command("start", "service_registry")
        expect(state).to_have_text("in sync")
        assert page.evaluate("window.sameDocument")


def find_service(page: Page, name: str) -> Locator:
    return page.locator(f'tr[data-service="{name}"]')


def test_an_operator_reads_what_a_service_wrote_and_restarts_it(platform: Platform, visit: Visit) -> None:
    with visit(expected=[502, 503]) as page:
        log_in_to_admin(page, platform, "operator", at="/admin/microservices/")
        expect(find_service(page, "notification")).to_have_attribute("data-state", "ready")
        inspect(page, WCAG)
        follow(page, "Logs of notification")
        expect(page.get_by_role("list", name="Lines, the newest first").get_by_role("listitem").first).to_be_visible()
        inspect(page, WCAG)
        page.get_by_label("Contains").fill("no line has these words")
        press(page, "Show")
        expect(page.get_by_text("There is no such line.")).to_be_visible()
        follow(page, "Back to the list")
        follow(page, "Restart notification")
        expect(page.get_by_role("heading", name="Restart notification?")).to_be_visible()
        inspect(page, WCAG)
        press(page, "Restart")
        expect(page).to_have_url(re.compile("/admin/microservices/$"), timeout=RESTARTED_MS)
        expect(find_service(page, "notification")).to_have_attribute("data-state", "ready")


def test_a_curator_sees_the_services_and_leaves_them_alone(platform: Platform, visit: Visit) -> None:
    with visit(expected=[403]) as page:
        log_in_to_admin(page, platform, "curator", at="/admin/microservices/")
        expect(find_service(page, "notification")).to_have_attribute("data-state", "ready")
        expect(page.get_by_text("Restarts and logs are for operators and administrators.")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("^(Restart|Logs of) "))).to_have_count(0)
        for refused in ("logs", "restart"):
            answer = page.goto(f"/admin/microservices/notification/{refused}/")
            assert answer is not None
            assert answer.status == 403


def test_a_curator_finds_a_job_and_cancels_it(platform: Platform, demo: str, visit: Visit) -> None:
    name = f"Unwanted job {uuid4().hex[:6]}"
    with platform.log_in("researcher") as client:
        submit_demo_job(client, name=name)
    with visit() as page:
        log_in_to_admin(page, platform, "curator", at="/admin/jobs/")
        expect(page.get_by_role("link", name="Demonstration").first).to_be_visible()
        page.get_by_label("Name, or id of job or owner").fill(name)
        press(page, "Search")
        expect(page.get_by_text(re.compile("^1 job, the newest first"))).to_be_visible()
        inspect(page, WCAG)
        follow(page, name)
        runs, history = (page.get_by_role("table", name=re.compile(caption)) for caption in ("^Runs", "^History"))
        expect(runs.get_by_role("row").nth(1)).to_contain_text("Sandbox imputation server")
        inspect(page, WCAG)
        follow(page, "Cancel")
        inspect(page, WCAG)
        press(page, "Cancel the job")
        expect(page.get_by_text("The job is being cancelled.")).to_be_visible()
        expect(runs.get_by_role("row").nth(1)).to_contain_text("cancelled", timeout=CANCELLED_MS)
        expect(history).to_contain_text(platform.credentials["accounts"]["curator"]["email"])


def test_the_history_of_a_site_tells_who_changed_what(platform: Platform, demo: str, visit: Visit) -> None:
    with curated_site(platform) as site, visit() as page:
        log_in_to_admin(page, platform, "curator", at=f"{SITES}{site['id']}/change/")
        page.get_by_label("Location").fill("the second floor")
        press(page, "Save and continue editing")
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        follow(page, "History")
        newest = page.get_by_role("row").nth(1)
        expect(newest).to_contain_text(platform.credentials["accounts"]["curator"]["email"])
        expect(newest).to_contain_text(f"location: {site['location']} → the second floor")
        expect(newest).to_contain_text("admin")
        inspect(page, WCAG)


def test_panels_in_a_file_are_shown_before_they_are_imported(
    platform: Platform, demo: str, visit: Visit, tmp_path: Path
) -> None:
    with curated_site(platform) as site, visit() as page:
        sheet = tmp_path / "panels.csv"
        sheet.write_text(f"service,panel_id,name,build\n{site['name']},african,African genomes,hg38\n")
        log_in_to_admin(page, platform, "curator", at="/admin/imputation/referencepanel/")
        follow(page, "Import")
        inspect(page, WCAG)
        page.locator("input[type=file]").set_input_files(sheet)
        press(page, "Preview")
        expect(page.get_by_text("1 new, 0 changed, 0 as they are. Nothing is saved yet.")).to_be_visible()
        inspect(page, WCAG)
        press(page, "Import all")
        expect(find_row(page, "African genomes")).to_contain_text(site["name"])
