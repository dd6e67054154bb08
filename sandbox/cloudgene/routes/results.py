"""Downloads: anonymous, by secret hashes, counted."""

from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse

from sandbox.cloudgene.downloads import ResultFile, find_file, list_files, take_download
from sandbox.cloudgene.errors import CloudgeneError
from sandbox.cloudgene.jobs import Job
from sandbox.cloudgene.site import CurrentSite, Site

METHODS = ["GET", "HEAD"]
BLOCK = 256 * 1024  # bytes

router = APIRouter()


@router.api_route("/share/results/{file_hash}/{name:path}", methods=METHODS)
async def share_result(site: CurrentSite, file_hash: str, name: str) -> StreamingResponse:
    """The hash decides, the name is not looked at."""
    file = find_file(site.database, file_hash)
    return _send(site, file if file and file.shared else None)


@router.api_route("/downloads/{job_id}/{file_hash}/{name:path}", methods=METHODS)
async def download_result(site: CurrentSite, job_id: str, file_hash: str, name: str) -> StreamingResponse:
    """Works while the job is still in the engine as well."""
    file = find_file(site.database, file_hash)
    return _send(site, file if file and file.job == job_id else None)


@router.api_route("/browse/{output_hash}/{name:path}", methods=METHODS)
async def browse_result(site: CurrentSite, output_hash: str, name: str) -> StreamingResponse:
    """By name."""
    files = _list_shared(site, output_hash)
    return _send(site, next((file for file in files if file.name == name), None))


@router.get("/get/{output_hash}")
async def write_script(site: CurrentSite, output_hash: str) -> PlainTextResponse:
    """A shell script that fetches all files of a job."""
    files = _list_shared(site, output_hash)
    if not files:
        raise CloudgeneError(404, "download not found.")
    lines = [f'curl -sSfL --create-dirs -o "{file.name}" "$1/share/results/{file.hash}/{file.name}"' for file in files]
    return PlainTextResponse("\n".join(["#!/bin/sh", "# usage: sh script.sh <address of the site>", *lines]) + "\n")


def _list_shared(site: Site, output_hash: str) -> list[ResultFile]:
    job = _find_by_output(site, output_hash)
    return [file for file in list_files(site.database, job.id) if file.shared] if job else []


def _find_by_output(site: Site, output_hash: str) -> Job | None:
    return next((job for job in site.engine.jobs.values() if job.output_hash == output_hash), None)


def _send(site: Site, file: ResultFile | None) -> StreamingResponse:
    """Chunked, without a length and with a type that says nothing; every request uses up one download."""
    if file is None:
        raise CloudgeneError(404, "download not found.")
    site.engine.age(site.engine.jobs[file.job])
    if not take_download(site.database, file.hash):
        raise CloudgeneError(400, "number of max downloads exceeded.")
    path = site.settings.jobs_folder / file.job / "output" / file.name
    if not path.is_file():
        raise CloudgeneError(404, "File not found in workspace.")
    return StreamingResponse(_read_blocks(path), media_type="application/json")


def _read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
