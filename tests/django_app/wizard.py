"""The wizard that sets a site up, as a curator goes through it."""

import httpx

from tests.django_app.browsing import SERVICES, FormReader
from tests.django_app.stub_site import GOOD_TOKEN, StubSite

SET_UP = f"{SERVICES}set-up/"


class Wizard:
    """One curator's way through the pages, as a browser goes it without JavaScript."""

    def __init__(self, browser: httpx.Client) -> None:
        self.browser = browser
        self.page = browser.get(SET_UP)

    @property
    def step(self) -> str:
        return self.page.url.path.rstrip("/").rpartition("/")[2]

    @property
    def text(self) -> str:
        return self.page.text

    def press(self, button: str = "_continue", leave_out: tuple[str, ...] = (), **typed: str) -> "Wizard":
        """Send the page's form with these fields changed; every POST is answered with a redirect."""
        form = {name: value for name, value in FormReader(self.text).fields.items() if name and name not in leave_out}
        form.pop("action", None)
        answer = self.browser.post(self.page.url, data={**form, **typed, button: "1"}, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        self.page = self.browser.get(answer.headers["location"])
        assert self.page.status_code == 200
        return self

    def load(self, step: str) -> "Wizard":
        draft = self.page.url.path.split("/set-up/")[1].partition("/")[0]
        self.page = self.browser.get(f"{SET_UP}{draft}/{step}/")
        return self

    def reach_panels(self, site: StubSite, token: str = GOOD_TOKEN, **address: str) -> "Wizard":
        self.press(base_url=site.url, allow_private_network="on", **address)
        self.press(name="A site", country="ZA")
        return self.press(new_credential=token)
