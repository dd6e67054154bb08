"""The machine's own Chromium, driven by Playwright. Nothing is downloaded for it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# In the place of Playwright's own list, of which they keep what concerns us. The last two would start two pages of
# Chromium's own with every window: half of what a window costs.
_WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
)
# It speaks to nobody but to the platform; glyphs are drawn as alike as machines can.
ARGUMENTS = (
    f"--disable-features={','.join(_WITHOUT)}",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
)


def find_chromium() -> str | None:
    on_path = (shutil.which(name) for name in NAMES)
    applications = (path for path in APPLICATIONS if Path(path).exists())
    return next(filter(None, (*on_path, *applications)), None)


@contextmanager
def launch_chromium() -> Iterator[Browser]:
    """Skips where there is no browser, loudly; with `CI` set that is a failure, since nobody reads what CI skips."""
    found = find_chromium()
    if found is None:
        missing = f"The browser tests need Chromium: none of {', '.join(NAMES)} is on PATH."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    # Chromium's own sandbox refuses to work for root.
    sandboxed = os.geteuid() != 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=list(ARGUMENTS), chromium_sandbox=sandboxed, headless=True
        )
        try:
            yield browser
        finally:
            browser.close()
