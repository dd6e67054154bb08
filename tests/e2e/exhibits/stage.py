"""The interface with the exhibits in the place of the platform's answers, at a moment that never passes."""

import json
from typing import Any

from playwright.sync_api import Page, Route, WebSocketRoute

from tests.e2e.exhibits.catalogue import ACCOUNT, CREDENTIALS, GRANT, PANELS, PROBES, SITES
from tests.e2e.exhibits.operations import OVERVIEW
from tests.e2e.exhibits.shapes import NOW, list_page
from tests.e2e.exhibits.work import (
    DECISIONS,
    DONE,
    FILES,
    HISTORIES,
    JOBS,
    MIXED,
    NOTIFICATIONS,
    QUALITY,
    QUOTAS,
    RESULTS,
    SUMMARY,
    TEMPLATES,
)

ANSWERS: dict[str, Any] = {
    "POST auth/token": GRANT,
    "GET users/me": ACCOUNT,
    "GET users/me/site-credentials": list_page(CREDENTIALS),
    "GET services": list_page(SITES),
    f"GET services/{SITES[0]['id']}": SITES[0],
    f"GET services/{SITES[0]['id']}/health": list_page(PROBES),
    "GET panels": list_page(PANELS),
    "GET files": list_page(FILES),
    f"GET files/{FILES[0]['id']}": FILES[0],
    f"GET files/{FILES[0]['id']}/qc": QUALITY,
    "GET jobs": list_page(JOBS),
    "GET jobs/quota": QUOTAS,
    "GET job-templates": list_page(TEMPLATES),
    f"GET job-templates/{TEMPLATES[0]['id']}": TEMPLATES[0],
    "GET notifications": list_page(NOTIFICATIONS),
    "GET monitoring/overview": OVERVIEW,
    **{f"GET jobs/{job['id']}": job for job in (DONE, MIXED)},
    **{f"GET jobs/{job_id}/events": list_page(history) for job_id, history in HISTORIES.items()},
    f"GET jobs/{MIXED['id']}/residency-decisions": list_page(DECISIONS),
    f"GET jobs/{DONE['id']}/results": list_page(RESULTS),
    f"GET jobs/{DONE['id']}/results/summary": SUMMARY,
}
_PREFIX = "/api/v1/"


def set_stage(page: Page, *, logged_in: bool = True) -> None:
    """For everything that the page asks from now on; what has no exhibit is not found, which a visit notices."""
    page.clock.set_fixed_time(NOW)
    page.route(f"**{_PREFIX}**", answer)
    page.route_web_socket(f"**{_PREFIX}events", greet)
    if logged_in:
        page.add_init_script("localStorage.setItem('imputehub.refresh_token', 'r')")


def answer(route: Route) -> None:
    path = route.request.url.partition(_PREFIX)[2].partition("?")[0]
    found = ANSWERS.get(f"{route.request.method} {path}")
    route.fulfill(status=200 if found else 404, content_type="application/json", body=json.dumps(found))


def greet(socket: WebSocketRoute) -> None:
    """The live channel is open, and nothing happens."""
    socket.on_message(lambda _: socket.send(json.dumps({"type": "stream.opened", "after": "0"})))
