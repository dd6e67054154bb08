"""The bytes of files: `GET|HEAD /api/v1/files/{id}/content`, and signed links to them."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from microservices.file_manager.errors import StoredFileNotFoundError
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.ranges import is_unchanged, select_range
from microservices.file_manager.models import ResultFile, UploadedFile
from microservices.file_manager.ownership import Owner, owner_of
from microservices.file_manager.queries import find_content
from microservices.file_manager.routes.access import Caller, EngineDep, LinkOrPerson
from microservices.file_manager.schemas import DownloadLink

OCTETS = "application/octet-stream"
_BYTES = {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}

router = APIRouter(prefix="/api/v1/files", tags=["files"])


@router.get(
    "/{file_id}/content",
    response_class=StreamingResponse,
    responses={200: _BYTES, 206: _BYTES, 304: {"description": "Unchanged"}, 416: {"description": "No such bytes"}},
)
@router.head("/{file_id}/content", include_in_schema=False)
async def get_content(
    request: Request,
    file_id: UUID,
    caller: LinkOrPerson,
    engine: EngineDep,
    byte_range: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range")] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> Response:
    """An upload or a result, for its owner or with a signed link."""
    owner = owner_of(caller) if caller is not None else None
    file = await to_thread.run_sync(_find, engine, owner, file_id)
    headers = describe_content(file)
    if is_unchanged(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(file.size)}, media_type=OCTETS)
    chosen = select_range(byte_range, if_range, headers["ETag"], file.size)
    if chosen is None:
        return await send_bytes(engine, file, headers)
    start, stop = chosen
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    return await send_bytes(engine, file, headers, start, stop, status=206)


@router.post("/{file_id}/download-url")
def create_link(file_id: UUID, caller: Caller, engine: EngineDep) -> DownloadLink:
    file = _find(engine, owner_of(caller), file_id)
    return engine.links.sign(file.id, engine.settings.link_lifetime_s)


def _find(engine: Engine, owner: Owner | None, file_id: UUID) -> UploadedFile | ResultFile:
    with engine.database.transaction() as session:
        file = find_content(session, owner, file_id)
    if file is None:
        raise StoredFileNotFoundError("There is no such file among yours.")
    return file


def describe_content(file: UploadedFile | ResultFile) -> dict[str, str]:
    """`ETag` is the bytes' SHA-256: strong, and the same wherever the bytes are."""
    sha256 = file.facts.sha256 if isinstance(file, UploadedFile) else file.sha256
    return {
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": name_attachment(file.filename),
        "X-Content-Type-Options": "nosniff",
    }


def name_attachment(filename: str) -> str:
    """RFC 6266: the name in UTF-8, and for old clients one in harmless ASCII."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


async def send_bytes(
    engine: Engine,
    file: UploadedFile | ResultFile,
    headers: dict[str, str],
    start: int = 0,
    stop: int | None = None,
    status: int = 200,
) -> Response:
    """A part of the file, or all of it, streamed in constant memory."""
    stop = file.size if stop is None else stop
    chunks = await engine.storage.read(file.object_id, start, stop)
    headers = {**headers, "Content-Length": str(stop - start)}
    return StreamingResponse(chunks, status_code=status, headers=headers, media_type=OCTETS)
