"""People's uploads: `POST|GET /api/v1/files`, `GET|DELETE …/{id}`, `…/qc`."""

from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from microservices.contracts.file_manager import FileRecord, QualityRecord
from microservices.file_manager.errors import FileNotReadyError, StoredFileNotFoundError
from microservices.file_manager.logic.deletion import delete_upload
from microservices.file_manager.logic.receiving import Expectation
from microservices.file_manager.logic.records import show_upload
from microservices.file_manager.logic.uploads import CREATED, store_upload
from microservices.file_manager.models import UploadedFile
from microservices.file_manager.ownership import owner_of
from microservices.file_manager.queries import find_upload, select_uploads
from microservices.file_manager.routes.access import Caller, EngineDep
from microservices.file_manager.routes.bodies import RAW_BODY, announced_size, refuse_multipart, stream_body
from microservices.file_manager.schemas import ContentSha256, FileQuery, UploadQuery
from microservices.kernel.auth import Principal
from microservices.kernel.db import SessionDep
from microservices.kernel.idempotency import IdempotencyKey, begin_once, once_key
from microservices.kernel.pagination import Page, paginate

_MIB = 1 << 20

router = APIRouter(prefix="/api/v1/files", tags=["files"])


@router.post("", status_code=CREATED, response_model=FileRecord, openapi_extra=RAW_BODY)
async def upload_file(
    request: Request,
    query: Annotated[UploadQuery, Query()],
    caller: Caller,
    engine: EngineDep,
    key: IdempotencyKey = None,
    sha256: ContentSha256 = None,
) -> Response:
    """The body is the file itself; it is stored first and checked then."""
    refuse_multipart(request)
    size = announced_size(request)
    expected = Expectation(size=size, sha256=sha256, limit=engine.settings.max_upload_size_mib * _MIB)
    expected.check_announced()
    once = once_key(caller, "POST /api/v1/files", key, f"{query.filename}\n{size}\n{sha256}")
    if once is not None:
        # The body of a repeated request is not read: the server discards what of it still arrives.
        stored = await to_thread.run_sync(begin_once, engine.database, once)
        if stored is not None:
            return stored
    record = await store_upload(engine, owner_of(caller), query.filename, stream_body(request), expected, once)
    return JSONResponse(record, status_code=CREATED)


@router.get("")
def list_files(query: Annotated[FileQuery, Query()], caller: Caller, session: SessionDep) -> Page[FileRecord]:
    return paginate(
        session,
        select_uploads(owner_of(caller), query.status, query.q),
        query,
        sortable={"created_at": UploadedFile.created_at, "filename": UploadedFile.filename, "size": UploadedFile.size},
        key=UploadedFile.id,
        to_item=show_upload,
    )


@router.get("/{file_id}")
def get_file(file_id: UUID, caller: Caller, session: SessionDep) -> FileRecord:
    return show_upload(_find(file_id, caller, session))


@router.delete("/{file_id}", status_code=204)
def delete_file(file_id: UUID, caller: Caller, engine: EngineDep) -> Response:
    delete_upload(engine, owner_of(caller), file_id)
    return Response(status_code=204)


@router.get("/{file_id}/qc", response_model=QualityRecord)
def get_quality(file_id: UUID, caller: Caller, session: SessionDep) -> Any:
    file = _find(file_id, caller, session)
    if file.facts.qc is None:
        raise FileNotReadyError(f"'{file.filename}' is still being checked. Try again in a few seconds.")
    return JSONResponse(file.facts.qc)


def _find(file_id: UUID, caller: Principal, session: SessionDep) -> UploadedFile:
    file = find_upload(session, owner_of(caller), file_id)
    if file is None:
        raise StoredFileNotFoundError("There is no such file among yours.")
    return file
