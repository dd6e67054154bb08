"""Uploads and downloads last as long as a site takes: what each site may have of the room for them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Shares:
    """Room for so many transfers at a time; a site gets more only while more is free than it has.

    So the first slow site gets half of it, the next one half of the rest, and whoever comes then still finds some.
    """

    def __init__(self, room: int) -> None:
        self._lock = threading.Lock()
        self._free = room
        self._taken: Counter[UUID] = Counter()

    @contextmanager
    def taking(self, site: UUID) -> Iterator[bool]:
        """Whether there was room for one more transfer of the site; it is given back at the block's end."""
        with self._lock:
            found = self._taken[site] < self._free
            self._count(site, int(found))
        try:
            yield found
        finally:
            with self._lock:
                self._count(site, -int(found))

    def _count(self, site: UUID, more: int) -> None:
        self._free -= more
        self._taken[site] += more
        if not self._taken[site]:
            del self._taken[site]
