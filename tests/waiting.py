"""How tests wait: for what they want to see, and up to a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found | None], what: str = "what was waited for", *, within_s: float = 60) -> Found:
    """The first truthy answer of `look`."""
    began = time.monotonic()
    while not (found := look()):
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"not within {within_s} s: {what}"
        time.sleep(min(max(waited_s / 10, 0.02), 0.1))  # what takes long is not slowed down by questions
    return found
