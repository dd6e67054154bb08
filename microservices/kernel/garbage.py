"""Python's cyclic collector, set for processes that keep thousands of requests under way at once."""

import gc

# As shipped, every 700 objects that stay set it off, and with thousands of requests under way most do for a while: it
# took two fifths of the time of a health sweep of 10,000 sites (`tests/load/bench_health_sweep.py`).
_THRESHOLDS = (20_000, 20, 50)
_OBJECTS_PER_REQUEST = 200


def calm_collector() -> None:
    """Call when a process has loaded what it runs on: that is never walked again, and walks are rarer."""
    if gc.get_freeze_count() == 0:
        gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def expect_requests(count: int) -> None:
    """Tell how many requests this process itself has under way: what they hold is no garbage and not worth a walk.

    Tell it again when they are fewer: garbage is let lie in proportion.
    """
    gc.set_threshold(max(_THRESHOLDS[0], count * _OBJECTS_PER_REQUEST), *_THRESHOLDS[1:])
