"""Every page looks as it did when somebody last looked at its picture and found it good (`baselines/`).

After a change that is meant, `make pictures` takes them anew; look at what has changed before it is committed.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.exhibits.catalogue import SITES
from tests.e2e.exhibits.stage import set_stage
from tests.e2e.exhibits.work import DONE, FILES, MIXED, TEMPLATES
from tests.e2e.inspection import inspect
from tests.e2e.pictures import ALLOWED, find_difference, keep_picture, take_picture
from tests.e2e.visits import NARROW, WIDE, Visit

pytestmark = pytest.mark.timeout(600)

BASELINES = Path(__file__).parent / "baselines"
LOW_PX = 96  # three lines
RENEWS = bool(os.environ.get("IMPUTEHUB_RENEW_PICTURES"))


def choose_file(page: Page) -> None:
    page.get_by_label(FILES[0]["filename"]).check()
    expect(page.get_by_text("Passes with warnings")).to_be_visible()


def choose_panels(page: Page) -> None:
    choose_file(page)
    page.get_by_role("button", name="Next: Panels").click()
    page.get_by_role("checkbox", name="African genomes").check()
    page.get_by_role("checkbox", name="Eastern cohorts").check()


def choose_parameters(page: Page) -> None:
    choose_panels(page)
    page.get_by_role("button", name="Next: Parameters").click()
    page.get_by_label("Name of the job").fill("Chromosome 20")


def review(page: Page) -> None:
    choose_parameters(page)
    page.get_by_role("button", name="Next: Review").click()
    expect(page.get_by_role("button", name="Submit the job")).to_be_visible()


def ask_to_delete(page: Page) -> None:
    page.get_by_role("button", name="Delete the job").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def stay(_page: Page) -> None:
    """The page as it comes."""


# Name of the picture, address, what is done there first.
SCENES: list[tuple[str, str, Callable[[Page], None]]] = [
    ("jobs", "/jobs", stay),
    ("job-completed", f"/jobs/{DONE['id']}", stay),
    ("job-in-trouble", f"/jobs/{MIXED['id']}", stay),
    ("job-delete", f"/jobs/{DONE['id']}", ask_to_delete),
    ("new-job-1", "/jobs/new", choose_file),
    ("new-job-2", "/jobs/new", choose_panels),
    ("new-job-3", "/jobs/new", choose_parameters),
    ("new-job-4", "/jobs/new", review),
    ("templates", "/templates", stay),
    ("template", f"/templates/{TEMPLATES[0]['id']}", stay),
    ("sites", "/sites", stay),
    ("site", f"/sites/{SITES[0]['id']}", stay),
    ("notifications", "/notifications", stay),
    ("operations", "/operations", stay),
    ("not-found", "/nowhere", stay),
]


@pytest.mark.parametrize(("name", "address", "act"), SCENES, ids=[name for name, *_ in SCENES])
def test_a_page_looks_as_it_did(
    visit: Visit, tmp_path: Path, name: str, address: str, act: Callable[[Page], None]
) -> None:
    with visit() as page:
        set_stage(page)
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        act(page)
        compare_with_baselines(page, name, tmp_path)
        inspect(page)


def test_words_about_what_is_wrong_keep_rows_low_on_a_narrow_screen(visit: Visit) -> None:
    """They scroll sideways with their table."""
    with visit(width=NARROW) as page:
        set_stage(page)
        page.goto("/operations")
        expect(page.get_by_role("table")).to_have_count(3)
        rows = page.locator("tbody tr").all()
        heights = {row.inner_text().split("\n")[0]: (row.bounding_box() or {"height": 0})["height"] for row in rows}
        assert max(heights.values()) <= LOW_PX, heights


@pytest.mark.parametrize("name", ["login", "register"])
def test_an_entrance_looks_as_it_did(visit: Visit, tmp_path: Path, name: str) -> None:
    with visit() as page:
        page.goto(f"/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        compare_with_baselines(page, name, tmp_path)


def compare_with_baselines(page: Page, name: str, evidence: Path) -> None:
    told = [compare_at(page, width, BASELINES / f"{name}-{width}.png", evidence) for width in (WIDE, NARROW)]
    assert not any(told), "\n".join(filter(None, told))


def compare_at(page: Page, width: int, baseline: Path, evidence: Path) -> str | None:
    seen = take_picture(page, width)
    if RENEWS:
        keep_picture(seen, baseline)
        return None
    share, sheet = find_difference(seen, Image.open(baseline).convert("RGB"))
    if share <= ALLOWED:
        return None
    sheet.save(evidence / baseline.name)
    return f"{baseline.name}: {share:.2%} of it has changed. Wanted, seen, and where: {evidence / baseline.name}"
