"""Somebody looks at the platform's pages: a window of their own, watched for faults that people would not report."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

Visit = Callable[..., AbstractContextManager[Page]]
WIDE, NARROW, HEIGHT = 1280, 360, 800
# Two busy cores are slow; what works is there long before.
DEADLINE_MS = 20_000

expect.set_options(timeout=DEADLINE_MS)


@contextmanager
def open_visit(
    browser: Browser,
    url: str,
    evidence: Path,
    *,
    language: str = "en-GB",
    width: int = WIDE,
    expected: Collection[int] = (),
) -> Iterator[Page]:
    """A page in a new window. At its end there must have been no console error and no failed request.

    `expected`: the HTTP statuses from 400 on that belong to the story. What was on the page when a test failed is
    kept in the folder `evidence`.
    """
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": HEIGHT},
        locale=language,
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    faults = watch_faults(page, expected)
    try:
        yield page
    except BaseException as error:
        seen = evidence / f"seen-{uuid4().hex[:8]}.png"
        page.screenshot(path=seen)
        error.add_note(f"{page.url} looked like {seen}; its faults: {faults}")
        raise
    finally:
        context.close()
    assert not faults, "\n".join(faults)


def watch_faults(page: Page, expected: Collection[int]) -> list[str]:
    """Grows with what goes wrong in the page. A request that leaving the page ended (ABORTED) is no fault."""
    faults: list[str] = []

    def note_message(message: ConsoleMessage) -> None:
        told = "Failed to load resource" in message.text  # the answer itself is noted below
        if message.type in ("error", "warning") and not told:
            faults.append(f"console: {message.text}")

    def note_answer(answer: Response) -> None:
        if answer.status >= 400 and answer.status not in expected:
            faults.append(f"{answer.status}: {answer.request.method} {answer.url}")

    def note_failure(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"{request.failure}: {request.method} {request.url}")

    page.on("console", note_message)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("response", note_answer)
    page.on("requestfailed", note_failure)
    return faults


def log_in(page: Page, email: str, password: str, *, at: str = "/jobs") -> None:
    """By the form, as people do; they come to where they wanted to go."""
    page.goto(at)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(f"{at}$"))


def register(page: Page) -> dict[str, str]:
    """A new researcher with an organisation of their own; how they log in."""
    account = {"email": f"researcher-{uuid4().hex[:12]}@example.org", "password": uuid4().hex}
    page.goto("/register")
    page.get_by_label("Full name").fill("New researcher")
    page.get_by_label("E-mail").fill(account["email"])
    page.get_by_label("Organisation").fill(f"Institute {uuid4().hex[:6]}")
    page.get_by_label("Password").fill(account["password"])
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    return account
