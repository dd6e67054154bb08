"""A job that is made from a template, in a browser, and all results of one as a zip."""

import hashlib
import json
import re
import zipfile
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Platform
from tests.e2e.inspection import inspect
from tests.e2e.test_browser_journeys import SITES
from tests.e2e.visits import Visit, log_in

pytestmark = pytest.mark.timeout(600)


def test_a_job_is_made_from_a_template_with_an_alternate_and_its_results_come_as_one_zip(
    platform: Platform, demo: str, visit: Visit
) -> None:
    template = f"Usual panels {uuid4().hex[:6]}"
    with visit() as page:
        log_in(page, **platform.credentials["accounts"]["researcher"])
        page.get_by_role("link", name="Demonstration").first.click()
        check_archive(page)
        page.get_by_role("link", name="New job").first.click()
        page.get_by_role("checkbox", name=re.compile(r"\.vcf\.gz")).first.check()
        page.get_by_role("button", name="Next: Panels").click()
        choose_alternate(page)
        page.get_by_role("button", name="Next: Parameters").click()
        page.get_by_label("Name of the job").fill(template)
        page.get_by_role("button", name="Next: Review").click()
        page.get_by_role("button", name="Save as a template").click()
        page.get_by_role("button", name="Save the template").click()
        expect(page.get_by_text(f"The template “{template}” is saved.")).to_be_visible()
        submit_from(page, template)
        expect(page.get_by_text(re.compile(f"cannot take it: .* · {SITES[1]}"))).to_be_visible()
        page.get_by_role("button", name="Cancel the job").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
        expect(page.get_by_role("dialog")).to_be_hidden()


def choose_alternate(page: Page) -> None:
    page.get_by_role("region", name=SITES[0]).get_by_role("checkbox").first.check()
    alternates = page.get_by_role("group", name=re.compile("cannot take it"))
    alternates.get_by_role("combobox").click()
    page.get_by_role("option", name=re.compile(SITES[1])).first.click()
    expect(alternates.get_by_role("listitem")).to_contain_text(SITES[1])
    inspect(page)


def submit_from(page: Page, template: str) -> None:
    """Another job than the one that it was saved of: nothing but the genotypes is chosen again."""
    page.get_by_role("link", name="Templates").click()
    saved = page.get_by_role("article").filter(has_text=template)
    expect(saved).to_contain_text(SITES[0])
    inspect(page)
    saved.get_by_role("link", name="Start a job").click()
    page.get_by_role("checkbox", name=re.compile(r"\.vcf\.gz")).first.check()
    for step in ("Panels", "Parameters", "Review"):
        page.get_by_role("button", name=f"Next: {step}").click()
    inspect(page)
    page.get_by_role("button", name="Submit the job").click()
    expect(page.get_by_role("heading", name=template, level=1)).to_be_visible()


def check_archive(page: Page) -> None:
    """The browser stores it by itself; what is in it is what its manifest says."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download all (zip)").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        told = {file["path"]: file["sha256"] for file in json.loads(archive.read("manifest.json"))["files"]}
        found = {path: hashlib.sha256(archive.read(path)).hexdigest() for path in told}
    assert told
    assert found == told
    assert waiting.value.suggested_filename.endswith(".zip")
