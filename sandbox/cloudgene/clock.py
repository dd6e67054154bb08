"""The site's clock: a site is one process, and whoever tries things out may put its clock forward."""

import time

DAY_MS = 24 * 3600 * 1000


class Clock:
    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.ahead_ms

    def advance(self, days: float) -> None:
        self.ahead_ms += int(days * DAY_MS)


CLOCK = Clock()
