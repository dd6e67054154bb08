"""When a run will be done, and whether it is far slower than usual: by how long the site took for others of its size.

Everybody's completed runs at the same panel count: how fast a site is does not depend on who asks.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import NamedTuple

from sqlalchemy.orm import object_session

from microservices.job_processor.models import Run
from microservices.kernel.db import Cursor, open_cursor, utc_now

_NEWEST = 100
_FEWEST = 5
# Inputs whose bytes differ by no more than this factor take about as long.
_ALIKE = 4
_FRESH_S = 300
_FAR_SLOWER = 2
_STALLED = 4
_SHORTEST_S = 600


class Done(NamedTuple):
    """A completed run: from its submission until its results were here."""

    input_bytes: int
    seconds: float


class Kind(NamedTuple):
    """Runs that are alike but for their sizes."""

    service_id: str
    panel_id: str
    mode: str


@dataclass(frozen=True)
class Estimate:
    """`pace`: in words, where the run is far slower than usual, else empty."""

    finish_at: datetime | None = None
    is_slow: bool = False
    is_stalled: bool = False
    pace: str = ""


class Durations:
    """How long runs have taken, by kind; read anew after 5 min, so that watching thousands of runs costs nothing."""

    def __init__(self) -> None:
        self._known: dict[Kind, tuple[float, list[Done]]] = {}

    def list_done(self, cursor: Cursor, kind: Kind) -> list[Done]:
        at, done = self._known.get(kind, (0.0, []))
        now = time.monotonic()
        if kind not in self._known or now - at > _FRESH_S:
            done = _read_done(cursor, kind)
            self._known[kind] = (now, done)
        return done


DURATIONS = Durations()
"""Of this process."""


_DONE = """
    SELECT (SELECT sum(size) FROM job_inputs WHERE job_id = run.job_id), run.finished_at - run.submitted_at
    FROM job_runs AS run JOIN imputation_jobs AS job ON job.id = run.job_id
    WHERE run.service_id = %(service_id)s AND run.panel_id = %(panel_id)s AND run.status = 'completed'
        AND job.parameters ->> 'mode' = %(mode)s AND run.submitted_at IS NOT NULL
    ORDER BY run.finished_at DESC LIMIT %(newest)s
"""


def _read_done(cursor: Cursor, kind: Kind) -> list[Done]:
    cursor.execute(_DONE, {**kind._asdict(), "newest": _NEWEST})
    return [Done(int(input_bytes), took.total_seconds()) for input_bytes, took in cursor]


class Stay(NamedTuple):
    """A run at its site: its status, since when it is there, and how much it was given."""

    kind: Kind
    status: str
    submitted_at: datetime | None
    input_bytes: int


def estimate_run(run: Run, *, at_least_s: float = _SHORTEST_S) -> Estimate:
    session = object_session(run)
    if session is None:
        return Estimate()
    kind = Kind(str(run.service_id), str(run.panel_id), run.job.parameters["mode"])
    stay = Stay(kind, run.status, run.submitted_at, sum(source.size for source in run.job.inputs))
    with open_cursor(session) as cursor:
        return estimate_stay(cursor, stay, at_least_s=at_least_s)


def estimate_stay(cursor: Cursor, stay: Stay, *, at_least_s: float = _SHORTEST_S) -> Estimate:
    """Nothing where the run is not at its site, or too few alike are known; before `at_least_s` none is slow."""
    if stay.status not in ("running", "collecting") or stay.submitted_at is None:
        return Estimate()
    size, done = stay.input_bytes, DURATIONS.list_done(cursor, stay.kind)
    took = sorted(one.seconds for one in done if one.input_bytes <= size * _ALIKE and size <= one.input_bytes * _ALIKE)
    return _compare(stay.submitted_at, took, at_least_s) if len(took) >= _FEWEST else Estimate()


def _compare(began_at: datetime, took: list[float], at_least_s: float) -> Estimate:
    """Of the runs that took longer than this one has up to now, the middle one tells when it will end."""
    elapsed_s = (utc_now() - began_at).total_seconds()
    longer = [seconds for seconds in took if seconds > elapsed_s]
    finish_at = began_at + timedelta(seconds=median(longer)) if longer else None
    slowest_s = quantiles(took, n=10, method="inclusive")[-1]
    if elapsed_s < max(_FAR_SLOWER * slowest_s, at_least_s):
        return Estimate(finish_at)
    pace = f"Far slower than usual at this site: {tell_span(elapsed_s)}, usually {tell_span(median(took))}."
    return Estimate(finish_at, True, elapsed_s >= _STALLED * slowest_s, pace)


def tell_span(seconds: float) -> str:
    """In the unit that people would use: `50 s`, `40 min`, `3 h`, `2 days`."""
    for unit, length_s, most in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < most * length_s:
            return f"{max(1, round(seconds / length_s))} {unit}"
    return f"{round(seconds / 86_400)} days"
