"""What people come for, in a browser: from the register page to results, and what curators and operators see."""

import hashlib
import os
import re
import signal
import time
from pathlib import Path

import pyotp
import pysam
import pytest
from playwright.sync_api import Locator, Page, expect

from imputehub.client import Client
from imputehub.demo.sandbox import prepare_cohort
from tests.e2e.conftest import Platform
from tests.e2e.curation import find_address, log_in_to_admin, name_site, remove_site
from tests.e2e.inspection import inspect
from tests.e2e.visits import Visit, log_in, register

pytestmark = pytest.mark.timeout(600)

SITES = ("Sandbox imputation server", "Sandbox workflow node")
SAMPLES = 20  # the least that the sandbox's sites take
IMPUTED_MS = 120_000
UPLOAD_BYTES_S = 100_000


def test_a_new_researcher_imputes_at_two_sites_and_downloads_what_they_made(
    platform: Platform, demo: str, visit: Visit, tmp_path: Path
) -> None:
    cohort = thin_cohort(prepare_cohort(platform.home).typed, tmp_path)
    with visit() as page:
        account = register(page)
        page.evaluate("window.sameDocument = true")
        expect(page.get_by_text("No jobs yet")).to_be_visible()
        inspect(page)
        store_site_tokens(page, demo)
        put_job_together(page, cohort)
        job_id = page.url.rpartition("/")[2]
        follow_runs(page)
        for site in SITES:
            expect_accuracy(find_run(page, site))
        inspect(page)
        download_and_compare(page, platform, account, job_id)
        # All of it came over the live channel, into the document that was opened at the start.
        expect(page.get_by_role("link", name=re.compile("Notifications.*unread"))).to_be_visible()
        page.get_by_role("link", name="Notifications").click()
        expect(page.get_by_role("heading", name="Results are ready")).to_be_visible()
        assert page.evaluate("window.sameDocument")


def thin_cohort(typed: Path, folder: Path) -> Path:
    """The demonstration's cohort with as few people as will do; not packed, so that its upload takes a moment."""
    thinned = folder / "small.vcf.gz"
    with pysam.VariantFile(str(typed)) as source:
        source.subset_samples(list(source.header.samples)[:SAMPLES])
        with pysam.VariantFile(str(thinned), "wz0", header=source.header) as target:
            for record in source:
                target.write(record)
    return thinned


def store_site_tokens(page: Page, demo: str) -> None:
    """Each site asks for a token that belongs to a person: the demonstration has printed them."""
    tokens = dict(re.findall(r"^  (Sandbox [^:\n]+):\n(\S+)$", demo, re.MULTILINE))
    for site in SITES:
        page.get_by_role("link", name="Sites and panels").click()
        page.get_by_role("heading", name=site).get_by_role("link").click()
        expect(page.get_by_text("No token is stored")).to_be_visible()
        page.get_by_label("Token from the site").fill(tokens[site])
        page.get_by_role("button", name="Save the token").click()
        expect(page.get_by_text("A token is stored")).to_be_visible()
    inspect(page)


def put_job_together(page: Page, cohort: Path) -> None:
    page.get_by_role("link", name="New job").first.click()
    upload(page, cohort)
    inspect(page)
    page.get_by_role("button", name="Next: Panels").click()
    expect(page.get_by_label("hg38 (GRCh38)")).to_be_checked()
    for site in SITES:
        page.get_by_role("region", name=site).get_by_role("checkbox").check()
    inspect(page)
    page.get_by_role("button", name="Next: Parameters").click()
    page.get_by_label("Name of the job").fill("First cohort")
    page.get_by_label("Least R²").fill("0")
    expect(page.get_by_label("Phasing")).to_have_text("None (phased already)")
    inspect(page)
    page.get_by_role("button", name="Next: Review").click()
    expect(page.get_by_role("region", name="2 runs").get_by_role("listitem")).to_have_count(len(SITES))
    inspect(page)
    page.get_by_role("button", name="Submit the job").click()
    expect(page.get_by_role("heading", name="First cohort", level=1)).to_be_visible()


def upload(page: Page, cohort: Path) -> None:
    """Over a slow line, so that the progress can be seen."""
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": UPLOAD_BYTES_S}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    page.locator("input[type=file]").set_input_files(cohort)
    progress = page.get_by_role("progressbar", name=f"Uploading {cohort.name}")
    expect(progress).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    report = page.get_by_role("region", name=cohort.name)
    expect(report.get_by_text("Passes")).to_be_visible()
    line.detach()
    expect(report).to_contain_text(str(SAMPLES))
    expect(report).to_contain_text("chr20")


def find_run(page: Page, site: str) -> Locator:
    return page.get_by_role("region", name=re.compile(f"^{site} · "))


def follow_runs(page: Page) -> None:
    """Each run's progress moves, and both end well, on a page that nobody loads again."""
    cloudgene, wes = (find_run(page, site) for site in SITES)
    expect(cloudgene.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    expect(wes.get_by_text("Running").first).to_be_visible()
    inspect(page)
    for run in (cloudgene, wes):
        expect(run.get_by_text("Completed").first).to_be_visible(timeout=IMPUTED_MS)
        expect(run.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
        expect(run.get_by_role("list").first.get_by_role("listitem")).to_have_count(4)


def expect_accuracy(run: Locator) -> None:
    """The chart has a bar for each bin that has sites, and its table says that common sites are imputed well."""
    figure = run.get_by_role("figure", name="Imputation quality")
    rows = figure.get_by_role("row")
    expect(rows.last).to_contain_text("5–50")
    told = [row.get_by_role("cell").first.inner_text() for row in rows.all()[1:]]
    bars = figure.locator("svg .MuiBarChart-element")
    expect(bars).to_have_count(len(told))
    heights = [(bar.bounding_box() or {"height": 0})["height"] for bar in bars.all()]
    assert heights == sorted(heights)
    assert float(told[-1]) >= 0.9
    assert heights[-1] > 100


def download_and_compare(page: Page, platform: Platform, account: dict[str, str], job_id: str) -> None:
    """What the browser stores is, byte for byte, what the page and the API speak of."""
    item = find_run(page, SITES[0]).get_by_role("listitem").filter(has_text="chr20.dose.vcf.gz")
    with page.expect_download() as waiting:
        item.get_by_role("link").click()
    stored = waiting.value
    digest = hashlib.sha256(stored.path().read_bytes()).hexdigest()
    assert stored.suggested_filename == "chr20.dose.vcf.gz"
    assert item.get_by_title(digest).inner_text() == f"{digest[:12]}…"
    with Client(platform.credentials["gateway_url"]) as client:
        client.log_in(**account)
        assert digest in {result["sha256"] for result in client.list_results(job_id)}


def test_a_site_that_a_curator_adds_becomes_healthy_before_the_researchers_eyes(
    platform: Platform, demo: str, visit: Visit
) -> None:
    name, url = name_site(), find_address(platform, "sandbox_site")
    try:
        with visit() as researcher, visit() as curator:
            register(researcher)
            researcher.get_by_role("link", name="Sites and panels").click()
            expect(researcher.get_by_role("article").first).to_be_visible()
            log_in_to_admin(curator, platform, "curator")
            add_site(curator, name, url)
            card = researcher.get_by_role("article").filter(has_text=name)
            expect(card.get_by_text("Healthy")).to_be_visible()
            inspect(researcher)
    finally:
        remove_site(platform, name)


def add_site(page: Page, name: str, url: str) -> None:
    """By Django's own form; the site is on this machine, where the platform reaches only when it is told so."""
    page.goto("/admin/imputation/imputationservice/add/")
    page.get_by_label("Name").first.fill(name)
    page.get_by_label("Base url").fill(url)
    page.get_by_label("Location").fill("this machine")
    page.get_by_label("Country").fill("ZA")
    page.get_by_label("Adapter settings").fill('{"allow_private_network": true, "health_interval_s": 30}')
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def test_an_operator_sees_a_killed_service_go_down_and_come_back(platform: Platform, visit: Visit) -> None:
    with visit() as page:
        log_in(page, **platform.credentials["accounts"]["operator"], at="/operations")
        service = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="file_manager"))
        expect(service.get_by_text("Ready", exact=True)).to_be_visible()
        inspect(page)
        keep_killing(platform, "file_manager", until=service.get_by_text("Down"))
        expect(page.get_by_role("region", name="Platform")).to_contain_text("7 / 8")
        expect(service.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)
        expect(page.get_by_role("region", name="Platform")).to_contain_text("8 / 8")


def keep_killing(platform: Platform, name: str, until: Locator) -> None:
    """A service is brought back within seconds, perhaps before anybody has looked: then it dies again."""
    killed, end = None, time.monotonic() + 60
    while not until.is_visible():
        assert time.monotonic() < end, f"the page never says that {name} is down"
        process = platform.processes()[name]
        if process["pid"] not in (None, killed):
            os.kill(killed := process["pid"], signal.SIGKILL)


def test_an_account_with_a_second_factor_is_opened_by_its_app_or_a_recovery_code(
    platform: Platform, visit: Visit
) -> None:
    with visit(expected=[400]) as page:
        account = register(page)
        app, recovery_code = set_up_second_factor(page, account["password"])
        log_out(page)
        begin_log_in(page, account)
        code = page.get_by_label("Code of your app")
        expect(code).to_be_focused()
        inspect(page)
        code.fill("no code")
        code.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
        code.fill(app.at(int(time.time()) + 30))  # the code of now was used to set it up
        code.press("Enter")
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        log_out(page)
        begin_log_in(page, account)
        code.fill(recovery_code)
        code.press("Enter")
        page.get_by_role("link", name="Notifications").click()
        expect(page.get_by_role("heading", name="A recovery code was used")).to_be_visible()


def set_up_second_factor(page: Page, password: str) -> tuple[pyotp.TOTP, str]:
    """The app, and one of the recovery codes."""
    page.get_by_role("link", name="New researcher").click()
    page.get_by_role("button", name="Set up a second factor").click()
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    inspect(page)
    key = page.get_by_text(re.compile(r"^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$")).inner_text()
    app = pyotp.TOTP(key.replace(" ", ""))
    page.get_by_label("Code of your app").fill(app.now())
    page.get_by_role("button", name="Switch it on").click()
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    inspect(page)
    recovery_code = codes.first.inner_text()
    page.get_by_role("button", name="I have stored them").click()
    expect(page.get_by_text("It is on, since")).to_be_visible()
    return app, recovery_code


def log_out(page: Page) -> None:
    """Not while the live channel is being opened: browsers complain of one that is closed then."""
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("button", name="Log out").click()


def begin_log_in(page: Page, account: dict[str, str]) -> None:
    page.get_by_label("E-mail").fill(account["email"])
    page.get_by_label("Password").fill(account["password"])
    page.get_by_role("button", name="Log in").click()
