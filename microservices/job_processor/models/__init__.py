"""Tables of job_processing_db. Every owned row carries its organisation and its owner."""

from microservices.job_processor.models.attempts import OUTCOMES, Attempt, CollectedFile, RunSummary, SiteRemoval
from microservices.job_processor.models.base import Base
from microservices.job_processor.models.jobs import (
    FINAL_STATUSES,
    JOB_STATUSES,
    PRIORITIES,
    RUN_STATUSES,
    Job,
    JobInput,
    Run,
    StatusUpdate,
)
from microservices.job_processor.models.wishes import (
    SUBJECT_KINDS,
    JobTemplate,
    Quota,
    QuotaUse,
    ResidencyDecision,
)

__all__ = [
    "FINAL_STATUSES",
    "JOB_STATUSES",
    "OUTCOMES",
    "PRIORITIES",
    "RUN_STATUSES",
    "SUBJECT_KINDS",
    "Attempt",
    "Base",
    "CollectedFile",
    "Job",
    "JobInput",
    "JobTemplate",
    "Quota",
    "QuotaUse",
    "ResidencyDecision",
    "Run",
    "RunSummary",
    "SiteRemoval",
    "StatusUpdate",
]
