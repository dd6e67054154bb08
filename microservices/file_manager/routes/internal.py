"""What our other services ask: the bytes of checked uploads, and results, brought and listed."""

from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from microservices.contracts.file_manager import (
    ArchiveRequest,
    InputLinkRequest,
    InputLinks,
    InputRecord,
    InputsRequest,
    ResultRecord,
)
from microservices.file_manager.logic import input_links, results
from microservices.file_manager.logic.archive import list_entries, stream_archive
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.readiness import find_ready
from microservices.file_manager.logic.receiving import Expectation
from microservices.file_manager.logic.records import show_upload
from microservices.file_manager.models import UploadedFile
from microservices.file_manager.ownership import Owner
from microservices.file_manager.queries import find_uploads
from microservices.file_manager.routes.access import EngineDep
from microservices.file_manager.routes.bodies import RAW_BODY, announced_size, stream_body
from microservices.file_manager.routes.content import describe_content, send_bytes
from microservices.file_manager.schemas import ContentSha256, ResultQuery, ResultsQuery
from microservices.kernel.auth import services_with
from microservices.kernel.db import SessionDep

router = APIRouter(prefix="/internal", tags=["internal"])
_reading = [Depends(services_with("files:read"))]
_writing = [Depends(services_with("files:write"))]


@router.get("/files/{file_id}/content", dependencies=_reading)
async def get_input(file_id: UUID, engine: EngineDep) -> Response:
    """An upload that passed its check, for a run whose job was created as its owner."""
    file = await to_thread.run_sync(_find_ready, engine, file_id)
    return await send_bytes(engine, file, describe_content(file))


def _find_ready(engine: Engine, file_id: UUID) -> UploadedFile:
    with engine.database.transaction() as session:
        return find_ready(session, file_id)


@router.post("/inputs", response_model=list[InputRecord], dependencies=_reading)
def list_inputs(wish: InputsRequest, session: SessionDep) -> Any:
    """What a job has to know of its inputs, as far as they are the files of the person who submits it."""
    found = find_uploads(session, Owner(wish.organization_id, wish.owner_id), wish.file_ids)
    records = [{"file": show_upload(file).model_dump(mode="json"), "quality": file.facts.qc} for file in found]
    return JSONResponse(records)


@router.post("/input-links", status_code=201, dependencies=_reading)
def create_input_links(wish: InputLinkRequest, engine: EngineDep) -> InputLinks:
    """Addresses for a site that fetches by itself; they end with the run (`run.ended`)."""
    return input_links.create_input_links(engine, wish)


@router.post("/results", status_code=201, dependencies=_writing, openapi_extra=RAW_BODY)
async def store_result(
    request: Request, upload: Annotated[ResultQuery, Query()], engine: EngineDep, sha256: ContentSha256 = None
) -> ResultRecord:
    expected = Expectation(size=announced_size(request), sha256=sha256, may_be_empty=True)
    return await results.store_result(engine, upload, stream_body(request), expected)


@router.get("/results", dependencies=_reading)
def list_results(query: Annotated[ResultsQuery, Query()], engine: EngineDep) -> list[ResultRecord]:
    return results.list_results(engine, query.run_id)


@router.post("/results/archive", dependencies=_reading, response_class=StreamingResponse)
async def send_archive(wish: ArchiveRequest, engine: EngineDep) -> StreamingResponse:
    """For the owner of the job, whom job_processor knows."""
    entries = await to_thread.run_sync(list_entries, engine, wish)
    return StreamingResponse(stream_archive(engine.storage, wish.job_id, entries), media_type="application/zip")


@router.delete("/results", status_code=204, dependencies=_writing)
def delete_results(job_id: UUID, engine: EngineDep) -> Response:
    results.delete_results(engine, job_id)
    return Response(status_code=204)
