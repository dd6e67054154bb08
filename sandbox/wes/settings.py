"""What the site tells its runs: written by the site at its start, read by each run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class WesSettings:
    """`panels` holds one folder for each panel; `chunk_size` and `overlap` are base pairs."""

    panels: Path
    engine: str = "auto"
    processes: int = 2
    chunk_size: int = 20_000_000
    overlap: int = 500_000

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), default=str, indent=2) + "\n", encoding="utf-8")


def read_settings(path: Path) -> WesSettings:
    """What `write` wrote."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return WesSettings(**{**values, "panels": Path(values["panels"])})
