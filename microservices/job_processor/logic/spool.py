"""Where results rest between a site and file_manager. Genotypes lie here, so nothing stays longer than it must."""

import errno
import hashlib
import os
import shutil
from itertools import chain, count
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from microservices.backends.base import SiteFile
from microservices.job_processor.models import Run
from microservices.kernel.db import Database

# What a disk must have left beside the file itself, so that a full spool never stops a database next to it (bytes).
_SPARE_BYTES = 64 << 20
# file_manager takes 255 bytes; what comes before the name needs room.
_STEM_CHARS, _NAME_BYTES = 40, 200


def place_file(spool_dir: Path, run_id: UUID, external_job_id: str, filename: str) -> Path:
    """A file's own place, whatever its name: that of another job of the same run is another file's."""
    folder = spool_dir / run_id.hex
    folder.mkdir(parents=True, exist_ok=True)
    return folder / hashlib.sha256(f"{external_job_id}/{filename}".encode()).hexdigest()


def check_space(folder: Path, file: SiteFile) -> None:
    """Before the site counts a download that could not be kept. Raises `OSError`."""
    largest = file.size_range[1] if file.size_range is not None else 0
    if shutil.disk_usage(folder).free < largest + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def choose_name(wanted: str, archive: str, taken: set[str]) -> str:
    """The name of a result here: without folders, and unlike all others of its run, of which it would replace one."""
    name = wanted.replace("/", "_").encode()[-_NAME_BYTES:].decode(errors="ignore")
    stem = archive.replace("/", "_").partition(".")[0][:_STEM_CHARS]
    choices = chain((name, f"{stem}_{name}"), (f"{stem}_{number}_{name}" for number in count(2)))
    return next(choice for choice in choices if choice not in taken)


def clean_spool(database: Database, spool_dir: Path) -> None:
    """Remove what belongs to runs that are not being collected (any more)."""
    for folder in spool_dir.glob("[0-9a-f]" * 32):
        with database.transaction() as session:
            status = session.scalar(select(Run.status).where(Run.id == UUID(folder.name)))
        if status != "collecting":
            shutil.rmtree(folder, ignore_errors=True)
