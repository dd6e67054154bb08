"""Many result files as one zip, made while it is sent: in constant memory, and nothing of it ever lies on a disk.

What is in it is packed already (bgzip), so it is only put one after the other; the format is zip64 where a size needs
it. `SHA256SUMS` is for `sha256sum -c`, `manifest.json` for programs.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID
from zipfile import ZIP64_LIMIT, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from anyio import to_thread

from microservices.contracts.file_manager import ArchiveRequest
from microservices.file_manager.errors import ResultsNotFoundError
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.storage import Storage
from microservices.file_manager.models import ResultFile
from microservices.file_manager.queries import list_results_of_runs

_FILE_MODE = 0o100644 << 16  # in the upper half of the attributes, as Unix zips have it


@dataclass(frozen=True)
class Entry:
    """A file and its place in the archive; `size` in bytes."""

    path: str
    run_id: UUID
    object_id: UUID
    kind: str
    size: int
    sha256: str
    created_at: datetime


class CutObjectError(Exception):
    """The storage gave fewer bytes than the file has: the archive breaks off rather than lie."""


class _Sink:
    """What the zip writes until it is taken: a stream that cannot be wound back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def list_entries(engine: Engine, wish: ArchiveRequest) -> list[Entry]:
    """The files of the runs, each in the folder of its run. Raises `ResultsNotFoundError`."""
    folders = {run.run_id: run.folder for run in wish.runs}
    with engine.database.transaction() as session:
        files = [file for file in list_results_of_runs(session, list(folders)) if file.job_id == wish.job_id]
        entries = [_place(file, folders[file.run_id]) for file in files]
    if not entries:
        raise ResultsNotFoundError("The job has no result files.")
    return entries


def _place(file: ResultFile, folder: str) -> Entry:
    path = f"{folder}/{file.filename}"
    return Entry(path, file.run_id, file.object_id, file.kind, file.size, file.sha256, file.created_at)


async def stream_archive(storage: Storage, job_id: UUID, entries: Sequence[Entry]) -> AsyncIterator[bytes]:
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]  # it needs no more than `sink` has
        for name, text in (("manifest.json", _write_manifest(job_id, entries)), ("SHA256SUMS", _write_sums(entries))):
            archive.writestr(_describe(name, entries[0].created_at), text, ZIP_DEFLATED)
        for entry in entries:
            info = _describe(entry.path, entry.created_at)
            size = 0
            with archive.open(info, "w", force_zip64=entry.size >= ZIP64_LIMIT) as member:
                async for chunk in await storage.read(entry.object_id, 0, entry.size):
                    size += len(chunk)
                    await to_thread.run_sync(member.write, chunk)
                    yield sink.take()
            if size != entry.size:
                raise CutObjectError(entry.path)
    yield sink.take()


def _describe(path: str, moment: datetime) -> ZipInfo:
    info = ZipInfo(path, moment.timetuple()[:6])
    info.external_attr = _FILE_MODE
    return info


def _write_sums(entries: Sequence[Entry]) -> str:
    return "".join(f"{entry.sha256}  {entry.path}\n" for entry in entries)


def _write_manifest(job_id: UUID, entries: Sequence[Entry]) -> str:
    files = [{name: str(value) for name, value in asdict(entry).items()} | {"size": entry.size} for entry in entries]
    for file in files:
        del file["object_id"]
    return json.dumps({"job_id": str(job_id), "files": files}, indent=2, ensure_ascii=False) + "\n"
