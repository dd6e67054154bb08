"""What the site hands to the pipeline: one JSON line on standard input, because it holds the password."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


class PipelineError(Exception):
    """The job fails; what its owner may know has been said in the messages or stands in the text."""


@dataclass(frozen=True)
class Task:
    """Paths are absolute; `chunk_size` and `overlap` are base pairs; choices are as the owner submitted them.
    `fault` is what is to go wrong on purpose (`lose_chunk`, `lose_chromosome`)."""

    files: list[Path]
    output: Path
    work: Path
    panel_folder: Path
    build: str
    population: str
    phasing: str
    r2_filter: str
    mode: str
    aes: bool
    meta: bool
    password: str
    engine: str
    chunk_size: int
    overlap: int
    processes: int
    min_samples: int
    max_samples: int
    fault: str = ""

    @property
    def imputes(self) -> bool:
        """Every mode but `imputation` means quality control only."""
        return self.mode == "imputation"

    def dump(self) -> bytes:
        """One line."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"


def load_task(line: str) -> Task:
    """The task that `dump` wrote."""
    values: dict[str, Any] = json.loads(line)
    for name in ("output", "work", "panel_folder"):
        values[name] = Path(values[name])
    values["files"] = [Path(name) for name in values["files"]]
    return Task(**values)
