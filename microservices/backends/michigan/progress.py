"""How far a job is, from what its messages count.

Cloudgene tells no percentage. Its pipeline counts finished tasks in messages such as `Imputation (3/4)`; phasing and
imputation have one task per chunk, and a total may be missing, or grow while chunks are still being found.
"""

import re
from collections.abc import Iterable

from microservices.backends.base import SiteMessage

_COUNT = re.compile(r"(Phasing|Imputation|Compression and Encryption)\b[^()\n]*\((\d{1,9})(?:\s*/\s*(\d{1,9}))?")

# Percent of the whole at which each part begins to count, by what the time goes into.
_VALIDATING, _VALIDATED, _CHECKED = 1.0, 5.0, 10.0
_PHASING_SHARE, _IMPUTATION_SHARE, _COMPRESSION_SHARE = 30.0, 50.0, 8.0
NEARLY_DONE = 99.0

# Cloudgene 2 counts nothing, but a step appears only as it begins.
_STEP_BEGINNINGS = {
    "Input Validation": _VALIDATING,
    "Quality Control": _VALIDATED,
    "Quality Control (Report)": 8.0,
    "Pre-phasing and Imputation": _CHECKED,
    "Phasing and Imputation": _CHECKED,
    "Data Compression and Encryption": _CHECKED + _PHASING_SHARE + _IMPUTATION_SHARE,
}


def measure_progress(messages: Iterable[SiteMessage]) -> float | None:
    """Percent (0–99) of a job that runs; None where nothing was said. Rises as long as totals do not grow."""
    spoken = list(messages)
    if not spoken:
        return None
    begun = max((_STEP_BEGINNINGS.get(message.step, 0.0) for message in spoken), default=0.0)
    if any("valid VCF file(s) found" in message.text for message in spoken):
        begun = max(begun, _VALIDATED)
    counted = _measure_tasks(spoken)
    return min(NEARLY_DONE, max(begun, counted))


def _measure_tasks(messages: list[SiteMessage]) -> float:
    """The shares of the counted tasks; 0 before the first is counted."""
    counts = _read_counts(messages)
    if not counts:
        return 0.0
    done_imputing, all_imputing = counts.get("Imputation", (0, 0))
    done_phasing, all_phasing = counts.get("Phasing", (0, 0))
    chunks = max(all_imputing, all_phasing)
    # Without a word on phasing the upload was phased already (`no_phasing`), or phasing lies behind us.
    phased = _divide(done_phasing, all_phasing) if "Phasing" in counts else 1.0
    imputed = _divide(done_imputing, chunks)
    packed = _divide(*counts.get("Compression and Encryption", (0, 0))) * (imputed or 1.0)
    if "Compression and Encryption" in counts and "Imputation" not in counts:
        imputed = 1.0
    return _CHECKED + _PHASING_SHARE * phased + _IMPUTATION_SHARE * imputed + _COMPRESSION_SHARE * packed


def _read_counts(messages: list[SiteMessage]) -> dict[str, tuple[int, int]]:
    """Finished and total tasks per kind, the highest told; a total of 0 was not told."""
    counts: dict[str, tuple[int, int]] = {}
    for message in messages:
        for kind, done, total in _COUNT.findall(message.text):
            seen_done, seen_total = counts.get(kind, (0, 0))
            counts[kind] = max(seen_done, int(done)), max(seen_total, int(total or 0))
    return counts


def _divide(done: int, total: int) -> float:
    return min(1.0, done / total) if total else 0.0
