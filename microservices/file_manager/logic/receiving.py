"""From a request's body to an object: hashed, counted and written at once, in constant memory.

SHA-256 of one block runs in a thread while the next arrives and the last is written; between blocks it would cost
two thirds of the throughput.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from microservices.file_manager.errors import (
    ChecksumMismatchError,
    EmptyFileError,
    FileTooLargeError,
    IncompleteUploadError,
)
from microservices.file_manager.logic.storage import Storage

# Below what the server hands over at a time, so that most chunks are blocks as they are, without a copy.
BLOCK_BYTES = 1 << 17
_MIB = 1 << 20


@dataclass(frozen=True)
class Expectation:
    """What the client announced, and what is allowed. Sizes in bytes; None: not known, or no limit."""

    size: int | None = None
    sha256: str | None = None
    limit: int | None = None
    may_be_empty: bool = False

    def check_announced(self) -> None:
        """Before the first byte is read."""
        if self.size is not None:
            self.check_limit(self.size)
        if self.size == 0 and not self.may_be_empty:
            raise EmptyFileError("The file is empty. Choose the VCF itself.")

    def check_limit(self, size: int) -> None:
        if self.limit is not None and size > self.limit:
            raise FileTooLargeError(f"At most {self.limit // _MIB} MiB are taken. Split the file by chromosome.")

    def check_received(self, size: int, sha256: str) -> None:
        if self.size is not None and size != self.size:
            raise IncompleteUploadError(f"Only {size} of {self.size} bytes arrived. Send the file again.")
        if size == 0 and not self.may_be_empty:
            raise EmptyFileError("The file is empty. Choose the VCF itself.")
        if self.sha256 is not None and sha256 != self.sha256.lower():
            raise ChecksumMismatchError(f"The bytes that arrived have the SHA-256 {sha256}. Send the file again.")


@dataclass(frozen=True)
class Received:
    """`size` in bytes, `sha256` in lower-case hex."""

    size: int
    sha256: str


class Intake:
    """The blocks of one body, counted and hashed on their way to the storage.

    `deadline` runs only while the client is waited for, never while the storage or the disk is at work.
    """

    def __init__(
        self, chunks: AsyncIterator[bytes], expected: Expectation, deadline: asyncio.Timeout, idle_s: float
    ) -> None:
        self._chunks = chunks
        self._expected = expected
        self._deadline = deadline
        self._idle_s = idle_s
        self._loop = asyncio.get_running_loop()
        self._digest = hashlib.sha256()
        self._hashing: asyncio.Future[None] | None = None
        self.size = 0

    async def blocks(self) -> AsyncIterator[bytes]:
        pending: list[bytes] = []
        pending_size = 0
        async for chunk in self._chunks:
            self._deadline.reschedule(self._loop.time() + self._idle_s)
            pending.append(chunk)
            pending_size += len(chunk)
            if pending_size >= BLOCK_BYTES:
                self._deadline.reschedule(None)
                yield await self._take(b"".join(pending))
                self._deadline.reschedule(self._loop.time() + self._idle_s)
                pending, pending_size = [], 0
        self._deadline.reschedule(None)
        if pending_size:
            yield await self._take(b"".join(pending))
        if self._hashing is not None:
            await self._hashing

    async def _take(self, block: bytes) -> bytes:
        self.size += len(block)
        self._expected.check_limit(self.size)
        if self._hashing is not None:
            await self._hashing
        self._hashing = self._loop.run_in_executor(None, self._digest.update, block)
        return block

    def summary(self) -> Received:
        return Received(self.size, self._digest.hexdigest())


async def receive_object(
    storage: Storage, object_id: UUID, chunks: AsyncIterator[bytes], expected: Expectation, idle_s: float
) -> Received:
    """Write the body to `object_id`, durably. Raises when it stalls for `idle_s` or is not what was announced."""
    try:
        async with asyncio.timeout(idle_s) as deadline:
            intake = Intake(chunks, expected, deadline, idle_s)
            await storage.write(object_id, intake.blocks())
    except TimeoutError as error:
        raise IncompleteUploadError(f"Nothing arrived for {idle_s:g} s. Send the file again.") from error
    received = intake.summary()
    expected.check_received(received.size, received.sha256)
    return received
