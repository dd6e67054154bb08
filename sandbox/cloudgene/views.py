"""What the API says of a job."""

from typing import Any

from sandbox.cloudgene.downloads import ResultFile, format_size
from sandbox.cloudgene.jobs import Job, Step, now_ms
from sandbox.cloudgene.settings import APPLICATION_NAME, APPLICATION_VERSION

Json = dict[str, Any]


def show_job(job: Job, position: int, outputs: list[Json]) -> Json:
    """The details of a job; `position` counts the waiting jobs ahead, -1 once it left the engine."""
    return {
        "id": job.id,
        "name": job.name,
        "application": f"{APPLICATION_NAME} {APPLICATION_VERSION}",
        "applicationId": job.application,
        "state": int(job.state),
        "positionInQueue": position,
        "submittedOn": job.submitted_on,
        "startTime": job.start_time,
        "endTime": job.end_time,
        "currentTime": now_ms(),
        "deletedOn": job.deleted_on,
        "steps": [_show_step(step, job.left_engine) for step in job.steps],
        "outputParams": outputs,
        "username": job.owner,
        "userAgent": job.user_agent,
        "logs": "",
        "workspaceSize": None,
    }


def show_listed(job: Job, position: int) -> Json:
    """A job in the list: one that left the engine comes without its steps, outputs and owner."""
    shown = show_job(job, position, [])
    return {**shown, "steps": [], "outputParams": [], "username": None} if job.left_engine else shown


def _show_step(step: Step, numbered: bool) -> Json:
    messages = [
        {
            "success": True,
            "message": entry["text"],
            "type": entry["kind"],
            "time": entry["time"] if numbered else 0,
        }
        for entry in step.messages
    ]
    return {"id": step.id, "name": step.name, "empty": not messages, "logMessages": messages}


def show_output(job: Job, files: list[ResultFile]) -> list[Json]:
    """The one output of the application; none before anything was exported."""
    if not job.output_hash:
        return []
    return [
        {
            "id": job.output_id,
            "name": "output",
            "description": "Downloads",
            "value": f"/{job.id}/output",
            "type": None,
            "download": True,
            "autoExport": False,
            "job": None,
            "jobId": job.id,
            "hash": job.output_hash,
            "files": [_show_file(job, file) for file in files],
            "tree": _grow_tree(job, files, ""),
        }
    ]


def _show_file(job: Job, file: ResultFile) -> Json:
    return {
        "name": file.name,
        "path": f"{job.id}/output/{file.name}",
        "hash": file.hash,
        "count": file.count,
        "size": format_size(file.size),
        "parameterId": 0,
        "user": None,
    }


def _grow_tree(job: Job, files: list[ResultFile], prefix: str) -> list[Json]:
    """Folders first, then files, each by name."""
    inside = [file for file in files if file.name.startswith(prefix)]
    names = [file.name.removeprefix(prefix) for file in inside]
    folders = sorted({name.split("/")[0] for name in names if "/" in name})
    branches: list[Json] = [
        {
            "name": folder,
            "path": "",
            "hash": "",
            "size": None,
            "folder": True,
            "childs": _grow_tree(job, inside, f"{prefix}{folder}/"),
        }
        for folder in folders
    ]
    leaves = [_show_leaf(job, file, prefix) for file in inside if "/" not in file.name.removeprefix(prefix)]
    return branches + leaves


def _show_leaf(job: Job, file: ResultFile, prefix: str) -> Json:
    return {
        "name": file.name.removeprefix(prefix),
        "path": f"/browse/{job.output_hash}/{file.name}",
        "hash": file.hash,
        "size": format_size(file.size),
        "folder": False,
        "childs": [],
    }


def show_page(jobs: list[Job], shown: list[Json], page: int, size: int) -> Json:
    """One page of a list; `jobs` are all of them and `shown` those of the page."""
    pages = list(range(1, -(-len(jobs) // size) + 1))
    return {
        "count": len(jobs),
        "page": page if pages else 0,
        "pageSize": size,
        "prev": page - 1 if page - 1 in pages else None,
        "next": page + 1 if page + 1 in pages else None,
        "pages": pages,
        "data": shown,
    }
