"""Where the bytes are: one object per file version, named by a random id and never by what a client called it.

obstore speaks to local disks, S3, Azure and GCS alike; a write is atomic, and one that is given up leaves no object.
"""

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from anyio import to_thread
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from microservices.file_manager.errors import StorageFullError, StorageUnavailableError

READ_BYTES = 1 << 20
LOCAL_PART_BYTES = 1 << 20
REMOTE_PART_BYTES = 8 << 20  # S3 takes 10,000 parts of one object: 80 GB
_PARTS_AT_ONCE = 2  # one is written while the next fills
# ENOSPC, EDQUOT and EFBIG as obstore words them; it keeps no number.
_FULL = re.compile(r"os error (28|122|27)\b")
_ROOM_ADVICE = "The storage is full. Nothing was kept; free some space or tell your operator, then send it again."


class Storage:
    """`folder` is set when objects are plain files on this machine."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.folder: Path | None = None
        if parts.scheme == "file":
            self.folder = Path(unquote(parts.path))
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(self.folder)
        else:
            self._store = from_url(url)

    async def write(self, object_id: UUID, blocks: AsyncIterator[bytes]) -> None:
        """Store `blocks`, durably when this returns. An error raised by `blocks` comes out unchanged."""
        local = self.folder is not None
        with _translated_errors():
            await obstore.put_async(
                self._store,
                str(object_id),
                blocks,
                chunk_size=LOCAL_PART_BYTES if local else REMOTE_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
                use_multipart=True,
            )
            if self.folder is not None:
                await to_thread.run_sync(_sync_to_disk, self.folder, self.folder / str(object_id))

    async def read(self, object_id: UUID, start: int, stop: int) -> AsyncIterator[bytes]:
        """Bytes from `start` to before `stop`. The object is open when this returns; a removal does not cut it off."""
        if start == stop:
            return _nothing()
        with _translated_errors():
            found = await obstore.get_async(self._store, str(object_id), options={"range": (start, stop)})
        return _pass_on(found)

    @contextmanager
    def local_copy(self, object_id: UUID) -> Iterator[Path]:
        """The object as a file on this machine, for programs that read files."""
        if self.folder is not None:
            yield self.folder / str(object_id)
            return
        with TemporaryDirectory(prefix="imputehub-check-") as scratch:
            path = Path(scratch) / "object"
            with _translated_errors(), path.open("wb") as file:
                for chunk in obstore.get(self._store, str(object_id)).stream(READ_BYTES):
                    file.write(chunk)
            yield path

    def remove(self, object_id: UUID) -> None:
        """Remove the object, and on a local disk what an interrupted write left of it (`<name>#<n>`)."""
        if self.folder is not None:
            for path in (self.folder / str(object_id), *self.folder.glob(f"{object_id}#*")):
                path.unlink(missing_ok=True)
            return
        with _translated_errors():
            try:
                obstore.delete(self._store, str(object_id))
            except FileNotFoundError:
                return

    def ping(self) -> None:
        """Raises when the storage cannot be used."""
        if self.folder is not None:
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(f"{self.folder} cannot be written")
            return
        next(iter(obstore.list(self._store, chunk_size=1)), None)


def _sync_to_disk(folder: Path, path: Path) -> None:
    """Bytes and name outlive a power cut: the promise of a 201."""
    for place in (path, folder):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


async def _pass_on(found: "obstore.GetResult") -> AsyncIterator[bytes]:
    async for chunk in found.stream(READ_BYTES):
        yield bytes(chunk)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StorageUnavailableError("The file's bytes cannot be found at the moment. Tell your operator.") from error
    except (BaseError, OSError) as error:
        if _FULL.search(str(error)) or getattr(error, "errno", None) in (28, 122, 27):
            raise StorageFullError(_ROOM_ADVICE) from error
        raise StorageUnavailableError("The storage does not answer. Try again in a few seconds.") from error
