"""Which pages may open a WebSocket: browsers send no preflight with one, so the server has to look at `Origin`."""

from collections.abc import Iterable
from urllib.parse import urlsplit

_THIS_MACHINE = ("127.0.0.1", "localhost")


def list_origins(public_url: str, others: Iterable[str]) -> frozenset[str]:
    """The origin of our own pages, under each name that this machine has when they are served from it, and `others`."""
    parts = urlsplit(public_url)
    own = f"{parts.scheme}://{parts.netloc}"
    names = _THIS_MACHINE if parts.hostname in _THIS_MACHINE else ()
    aliases = [own.replace(parts.hostname or "", name, 1) for name in names]
    return frozenset(origin.rstrip("/").lower() for origin in [own, *aliases, *others])


def is_welcome(origin: str | None, allowed: frozenset[str]) -> bool:
    """Programs that are no browsers send no origin, and carry no log-in that a page could abuse."""
    return origin is None or origin.lower() in allowed
