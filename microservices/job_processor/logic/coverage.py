"""Whether the results cover what was sent: sites drop a chromosome, or a piece of one, and still call it a success."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from microservices.job_processor.logic.accuracy import WINDOW, Tally

# Fewer typed sites in a hole are no loss to speak of: sites leave such chunks out by rule (imputationserver2: < 3).
_FEWEST_TYPED = 10
_ALIASES = {"23": "X", "M": "MT"}

SitesPerWindow = Mapping[str, Sequence[int]]
"""By chromosome: how many sites of the input lie in each window of `WINDOW` base pairs."""


@dataclass(frozen=True)
class Gap:
    """A hole in the results (1-based positions) where the input has sites."""

    name: str
    start: int
    end: int
    typed_sites: int


@dataclass(frozen=True)
class Coverage:
    """`expected`: the input's chromosomes. `missing`: those of them without any result."""

    expected: list[str]
    missing: list[str]
    gaps: list[Gap]

    @property
    def is_whole(self) -> bool:
        return not self.missing and not self.gaps


def judge_coverage(inputs: SitesPerWindow, results: Tally, *, same_build: bool) -> Coverage:
    """Positions are compared only where the panel is on the input's build; after a lift-over they say nothing."""
    found = {normalise(name): set(place.windows) for name, place in results.chromosomes.items()}
    expected = sorted(inputs, key=order_chromosome)
    here = [name for name in expected if normalise(name) in found]
    gaps = [gap for name in here for gap in _find_gaps(name, inputs[name], found[normalise(name)])]
    return Coverage(expected, [name for name in expected if name not in here], gaps if same_build else [])


def _find_gaps(name: str, typed: Sequence[int], found: set[int]) -> Iterable[Gap]:
    """Runs of windows without a result; a window that has no typed sites either joins those around it."""
    start = None
    for number in range(len(typed) + 1):
        is_hole = number < len(typed) and number not in found
        if is_hole and typed[number] and start is None:
            start = number
        if not is_hole and start is not None:
            count = sum(typed[start:number])
            if count >= _FEWEST_TYPED:
                last = max(place for place in range(start, number) if typed[place])
                yield Gap(name, start * WINDOW + 1, (last + 1) * WINDOW, count)
            start = None


def normalise(name: str) -> str:
    bare = name.upper().removeprefix("CHR")
    return _ALIASES.get(bare, bare)


def order_chromosome(name: str) -> tuple[int, str]:
    """chr2 before chr10, and X after all numbers."""
    bare = normalise(name)
    return (int(bare), "") if bare.isdecimal() else (1000, bare)


def tell_losses(coverage: Coverage) -> str:
    """In words for people; nothing where nothing is lost."""
    all_of_them, lost = len(coverage.expected), coverage.missing
    parts = []
    if lost:
        parts.append(f"{all_of_them - len(lost)} of {all_of_them} chromosomes; missing {', '.join(lost)}.")
    if coverage.gaps:
        holes = ", ".join(_tell_gap(gap) for gap in coverage.gaps[:10])
        more = f" and {len(coverage.gaps) - 10} more places" if len(coverage.gaps) > 10 else ""
        parts.append(f"No results at {holes}{more}, where your data have sites.")
    return " ".join(parts)


def _tell_gap(gap: Gap) -> str:
    return f"{gap.name}:{(gap.start - 1) // WINDOW}–{gap.end // WINDOW} Mb"


def read_coverage(stored: dict[str, Any]) -> Coverage:
    """Coverage from what `dataclasses.asdict` made of it."""
    return Coverage(stored["expected"], stored["missing"], [Gap(**gap) for gap in stored["gaps"]])
