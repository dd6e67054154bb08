"""A person's upload: the bytes first, then the row that makes them a file, then (elsewhere) the check."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from anyio import to_thread

from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.loose import adopt_object, announce_object, remove_loose
from microservices.file_manager.logic.receiving import Expectation, Received, receive_object
from microservices.file_manager.logic.records import show_upload
from microservices.file_manager.models import FileMetadata, UploadedFile
from microservices.file_manager.ownership import Owner
from microservices.kernel.idempotency import OnceKey, abandon_once, finish_once, renew_once

CREATED = 201
_RENEW_S = 15


@asynccontextmanager
async def receiving(
    engine: Engine, owner: Owner, chunks: AsyncIterator[bytes], expected: Expectation
) -> AsyncIterator[tuple[UUID, Received]]:
    """The object that the body has become; the caller adopts it within. After an error nothing of it remains."""
    expected.check_announced()
    object_id = uuid4()
    engine.writing.add(object_id)
    try:
        await to_thread.run_sync(announce_object, engine.database, owner, engine.presence.number, object_id)
        received = await receive_object(engine.storage, object_id, chunks, expected, engine.settings.upload_idle_s)
        yield object_id, received
    except BaseException:
        # Shielded, so that a shutdown does not keep it from happening; harmless to an object that was adopted.
        await asyncio.shield(to_thread.run_sync(remove_loose, engine.database, engine.storage, [object_id]))
        raise
    finally:
        engine.writing.discard(object_id)


async def store_upload(
    engine: Engine,
    owner: Owner,
    filename: str,
    chunks: AsyncIterator[bytes],
    expected: Expectation,
    once: OnceKey | None,
) -> Any:
    """The JSON of the new `FileRecord`. A key in `once` was begun by the caller, and is finished or free after this."""
    try:
        async with _renewing(engine, once), receiving(engine, owner, chunks, expected) as (object_id, received):
            record = await to_thread.run_sync(_register, engine, owner, filename, object_id, received, once)
    except BaseException:
        if once is not None:
            await asyncio.shield(to_thread.run_sync(abandon_once, engine.database, once))
        raise
    engine.new_upload.set()
    return record


def _register(
    engine: Engine, owner: Owner, filename: str, object_id: UUID, received: Received, once: OnceKey | None
) -> Any:
    with engine.database.transaction() as session:
        adopt_object(session, object_id)
        file = UploadedFile(object_id=object_id, filename=filename, size=received.size, **owner.columns)
        file.facts = FileMetadata(sha256=received.sha256, **owner.columns)
        session.add(file)
        session.flush()
        session.refresh(file)
        record = show_upload(file).model_dump(mode="json")
        if once is not None:
            finish_once(session, once, CREATED, record)
    return record


@asynccontextmanager
async def _renewing(engine: Engine, once: OnceKey | None) -> AsyncIterator[None]:
    """Keep the Idempotency-Key ours for as long as the body streams."""

    async def renew(key: OnceKey) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(sa.exc.SQLAlchemyError):  # the next turn tries again; the key is ours for a minute
                await to_thread.run_sync(renew_once, engine.database, key)

    if once is None:
        yield
        return
    renewal = asyncio.create_task(renew(once))
    try:
        yield
    finally:
        renewal.cancel()
