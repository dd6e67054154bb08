"""Objects without a file: noted before their first byte is written and before their file is forgotten, so that
whatever happens in between, nothing stays in the storage that nobody knows of."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from microservices.file_manager.errors import StorageUnavailableError
from microservices.file_manager.logic.presence import is_gone
from microservices.file_manager.logic.storage import Storage
from microservices.file_manager.models import LooseObject, ResultFile, UploadedFile
from microservices.file_manager.ownership import Owner
from microservices.kernel.db import Database
from microservices.kernel.logs import get_logger

log = get_logger(__name__)


def announce_object(database: Database, owner: Owner, process: int, object_id: UUID) -> None:
    """`process` is about to write the object."""
    with database.transaction() as session:
        session.add(LooseObject(object_id=object_id, written_by=process, **owner.columns))


def adopt_object(session: Session, object_id: UUID) -> None:
    """A file stands for the object from this transaction on."""
    adopted = sa.delete(LooseObject).where(LooseObject.object_id == object_id).returning(LooseObject.object_id)
    if session.scalar(adopted) is None:
        raise StorageUnavailableError("The storage was tidied while the file arrived. Send it again.")


def loosen_objects(session: Session, files: Sequence[UploadedFile | ResultFile]) -> list[UUID]:
    """No file stands for these objects from this transaction on; after it, they are for `remove_loose`."""
    rows = [
        {"object_id": file.object_id, "organization_id": file.organization_id, "owner_id": file.owner_id}
        for file in files
    ]
    if rows:
        session.execute(sa.insert(LooseObject), rows)
    return [file.object_id for file in files]


def remove_loose(database: Database, storage: Storage, object_ids: Iterable[UUID]) -> None:
    """Remove those of the objects that are (still) loose. What fails now is left to the next sweep."""
    for object_id in object_ids:
        try:
            with database.transaction() as session:
                held = (
                    sa.select(LooseObject).where(LooseObject.object_id == object_id).with_for_update(skip_locked=True)
                )
                loose = session.scalar(held)
                if loose is not None:
                    storage.remove(object_id)
                    session.delete(loose)
        except Exception as error:  # the person's request is done; this object waits for the sweep
            log.warning("object_not_removed", object_id=str(object_id), error=repr(error)[:300])


def sweep_loose(database: Database, storage: Storage, process: int, writing: Collection[UUID]) -> None:
    """Remove what nobody is writing: neither another process that is alive, nor `process` itself, which knows."""
    candidates = sa.or_(is_gone(LooseObject.written_by), LooseObject.written_by == process)
    with database.transaction() as session:
        found = session.scalars(sa.select(LooseObject.object_id).where(candidates)).all()
    abandoned = [object_id for object_id in found if object_id not in writing]
    if abandoned:
        log.info("sweeping_objects", count=len(abandoned))
    remove_loose(database, storage, abandoned)
