"""What must hold on every page, whatever it shows: axe finds nothing, and nothing sticks out at the side."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.visits import HEIGHT, NARROW, WIDE

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# What the law asks for, without axe's further advice: for pages whose frame others wrote.
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

_RUN_AXE = """async (tags) => {
  const options = tags ? { runOnly: tags } : {};
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}"""
_EXCESS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


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
        page.evaluate(read_axe())
        found[width] = page.evaluate(_RUN_AXE, tags)
        if (excess := page.evaluate(_EXCESS)) > 0:
            found[width].append(f"{excess} px stick out at the side")
    told = [f"{width} px: {finding}" for width, findings in found.items() for finding in findings]
    assert not told, "\n".join((page.url, *told))
