"""What a site is told at its start."""

from dataclasses import dataclass
from pathlib import Path

APPLICATION_ID = "imputationserver2"
APPLICATION_VERSION = "2.0.12"
APPLICATION_NAME = "Genotype Imputation"


@dataclass(frozen=True)
class SiteSettings:
    """`settle_seconds` is how long a job stays in a passing state: exporting, and finished but still in the
    engine. `chunk_size` and `overlap` are base pairs; public servers take 20 Mb and 500 kb for whole chromosomes.
    Results are deleted `retention_days` after a job's end (0: never), which is announced `notice_days` before."""

    data_dir: Path
    name: str = "Sandbox Imputation Server"
    engine: str = "auto"
    slots: int = 1
    processes: int = 2
    max_jobs_per_user: int = 2
    max_downloads: int = 10
    max_upload_bytes: int = 5_000 * 1024**2
    settle_seconds: float = 0.5
    retention_days: float = 7
    notice_days: float = 2
    chunk_size: int = 500_000
    overlap: int = 150_000
    min_samples: int = 20
    max_samples: int = 50_000

    @property
    def jobs_folder(self) -> Path:
        """One folder for each job."""
        return self.data_dir / "jobs"

    @property
    def panels_folder(self) -> Path:
        """Every folder in it that holds a panel is one the site offers, from the moment it is there."""
        return self.data_dir / "panels"

    @property
    def maintenance_message(self) -> str | None:
        """While a file `maintenance` lies in the data folder the site is under maintenance; its text says why."""
        path = self._maintenance_path
        return path.read_text(encoding="utf-8").strip() if path.is_file() else None

    def write_maintenance(self, message: str) -> None:
        """Begin it, or with an empty message end it."""
        if message:
            self._maintenance_path.write_text(message, encoding="utf-8")
        else:
            self._maintenance_path.unlink(missing_ok=True)

    @property
    def _maintenance_path(self) -> Path:
        return self.data_dir / "maintenance"
