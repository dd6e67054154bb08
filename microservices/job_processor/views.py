"""Rows as people see them."""

from microservices.job_processor.logic.lifecycle import job_progress
from microservices.job_processor.models import Job, Run, StatusUpdate
from microservices.job_processor.schemas import JobView, RunView, StatusUpdateView


def show_job(job: Job) -> JobView:
    return JobView.model_validate(
        {
            "id": job.id,
            "name": job.name,
            "status": job.status,
            "progress": job_progress(job),
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "input_file_ids": [source.file_id for source in job.inputs],
            "parameters": job.parameters,
            "runs": [show_run(run) for run in job.runs],
        }
    )


def show_run(run: Run) -> RunView:
    fields = {name: getattr(run, name) for name in RunView.model_fields if name != "attempts"}
    return RunView.model_validate({**fields, "attempts": len(run.attempts)})


def show_update(update: StatusUpdate) -> StatusUpdateView:
    return StatusUpdateView.model_validate(update, from_attributes=True)
