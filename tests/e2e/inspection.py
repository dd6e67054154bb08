"""What must hold on every page, whatever it shows: axe finds nothing, and nothing sticks out at the side."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.e2e.visits import HEIGHT, NARROW, WIDE

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# What the law asks for (EN 301 549: WCAG 2.1 AA), without axe's further advice: for what others drew.
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

_RUN_AXE = """async (tags) => {
  const { violations } = await axe.run(document, tags ? { runOnly: tags } : {});
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}"""
_FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
_SETTLED_MS = 5_000  # charts are drawn anew some frames after the page got narrower


@cache
def read_axe() -> str:
    if not AXE.exists():
        missing = f"{AXE} is missing: `make ui` installs it."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return AXE.read_text()


def inspect(page: Page, tags: list[str] | None = None) -> None:
    """As it is now, at both widths. By default every rule of axe; `tags` names some."""
    found: dict[int, Any] = {}
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        fits = becomes_fitting(page)
        page.evaluate(read_axe())
        found[width] = page.evaluate(_RUN_AXE, tags)
        if not fits:
            found[width].append("something sticks out at the side")
    told = [f"{width} px: {finding}" for width, findings in found.items() for finding in findings]
    assert not told, "\n".join((page.url, *told))


def becomes_fitting(page: Page) -> bool:
    try:
        page.wait_for_function(_FITS, timeout=_SETTLED_MS)
    except PlaywrightTimeoutError:
        return False
    return True
