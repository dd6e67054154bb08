"""Which events are worth a person's attention, and in which words. Progress alone is not: it is on the page."""

from dataclasses import dataclass
from typing import Any

from microservices.contracts.file_manager import FileChecked
from microservices.contracts.job_processor import JobUpdated, RunUpdated
from microservices.contracts.registry import HealthChanged, HealthStep
from microservices.contracts.user_service import SecondFactorChange, SecondFactorChanged

_JOB_WORDS = {
    "completed": ("Results are ready", "All runs of '{name}' are completed; the results can be downloaded."),
    "partly_completed": ("Some results are ready", "Some runs of '{name}' are completed, others are not: see the job."),
    "failed": ("A job failed", "No run of '{name}' was completed: the job says why, and what to do."),
    "cancelled": ("A job was cancelled", "'{name}' was cancelled."),
}


@dataclass(frozen=True)
class Wording:
    title: str
    message: str
    data: dict[str, Any]


_HEALTH_TITLES: dict[HealthStep, str] = {
    "warned": "A site is about to be switched off",
    "deactivated": "A site was switched off",
    "reactivated": "A site is back",
}


def word_health(event: HealthChanged) -> Wording | None:
    """Ordinary ups and downs are on the pages; curators are told of what happens to a site that is silent for long."""
    if event.step is None:
        return None
    message = f"'{event.name}': {event.message}"
    return Wording(_HEALTH_TITLES[event.step], message, {"service_id": str(event.service_id)})


def word_job(event: JobUpdated) -> Wording | None:
    if event.status not in _JOB_WORDS:
        return None
    title, message = _JOB_WORDS[event.status]
    return Wording(title, message.format(name=event.name), {"job_id": str(event.job_id)})


def word_run(event: RunUpdated) -> Wording | None:
    data = {"job_id": str(event.job_id), "run_id": str(event.run_id)}
    if event.status == "failed":
        return Wording("A run failed", event.message, data)
    if event.status == "waiting_for_site":
        return Wording("A run is waiting", event.message, data)
    return None


def word_file(event: FileChecked) -> Wording | None:
    data = {"file_id": str(event.file_id)}
    if event.status == "rejected":
        return Wording("A file was rejected", f"'{event.filename}' did not pass its check: see its report.", data)
    return None


_NOT_YOU = "If that was not you, ask an administrator at once."
_SECOND_FACTOR_WORDS: dict[SecondFactorChange, tuple[str, str]] = {
    "enabled": ("The second factor is on", f"Log-ins to your account need a code from now on. {_NOT_YOU}"),
    "disabled": ("The second factor is off", f"Log-ins to your account need the password alone. {_NOT_YOU}"),
    "reset": ("The second factor was reset", "An administrator has switched it off, and ended your log-ins."),
    "codes_renewed": ("New recovery codes", f"The earlier ones do not work any more. {_NOT_YOU}"),
    "recovery_code_used": ("A recovery code was used", f"Of the codes {{left}} are unused. {_NOT_YOU}"),
}


def word_second_factor(event: SecondFactorChanged) -> Wording:
    """Though mostly done by the person: whoever else did it is found out by nothing but this."""
    title, message = _SECOND_FACTOR_WORDS[event.change]
    return Wording(title, message.format(left=event.recovery_codes_left), {})


def word_nothing(_event: object) -> None:
    """For what a person has done themselves: their pages show it, and that is enough."""
