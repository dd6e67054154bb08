"""Everybody's jobs, read from job_processor for each page and kept nowhere; and what staff do with them."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import httpx
from django.conf import settings
from pydantic import BaseModel, ValidationError

from django_app.config.requests import request_id_var
from microservices.contracts.job_oversight import OverseenHistory, OverseenJob, OverseenPage, OverseenUpdate
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.service_tokens import ServiceTokens

_TIMEOUT_S = 10.0
Answer = TypeVar("Answer", bound=BaseModel)

AWAY = "job_processor does not answer, so jobs cannot be shown or changed at the moment. Try again in some seconds."

log = get_logger(__name__)


class JobDeskError(Exception):
    """What keeps the page from being shown, or the job from being changed, in words for staff."""


class JobUnknownError(JobDeskError):
    """There is no such job (any more)."""


class JobDesk:
    """Each method raises JobDeskError."""

    def __init__(self, base_url: str, tokens: ServiceTokens) -> None:
        self._base_url = base_url
        self._tokens = tokens
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)

    def list_jobs(self, query: Mapping[str, str]) -> OverseenPage:
        return self._ask(OverseenPage, "GET", "", params=query)

    def get_job(self, job_id: UUID) -> OverseenJob:
        return self._ask(OverseenJob, "GET", f"/{job_id}")

    def list_updates(self, job_id: UUID) -> list[OverseenUpdate]:
        """The newest first."""
        return self._ask(OverseenHistory, "GET", f"/{job_id}/events").items

    def cancel(self, job_id: UUID, staff: str) -> OverseenJob:
        return self._ask(OverseenJob, "POST", f"/{job_id}/cancel", json={"staff": staff})

    def retry(self, job_id: UUID, staff: str) -> OverseenJob:
        return self._ask(OverseenJob, "POST", f"/{job_id}/retry", json={"staff": staff})

    def _ask(self, shape: type[Answer], method: str, path: str, **content: Any) -> Answer:
        try:
            headers = {"Authorization": f"Bearer {self._tokens.get()}", "X-Request-ID": request_id_var.get()}
            url = f"{self._base_url}/internal/jobs{path}"
            answer = self._http.request(method, url, headers=headers, **content)
            if answer.is_success:
                return shape.model_validate_json(answer.content)
        except (httpx.TransportError, ServiceError, ValidationError) as error:
            log.warning("jobs_not_read", error=f"{type(error).__name__}: {error}"[:300])
            raise JobDeskError(AWAY) from error
        raise _explain(answer)


def _explain(answer: httpx.Response) -> JobDeskError:
    if answer.status_code >= 500:
        return JobDeskError(AWAY)
    try:
        words = str(answer.json()["detail"])[:500]
    except (ValueError, KeyError, TypeError):
        words = f"job_processor answers {answer.status_code}."
    return JobUnknownError(words) if answer.status_code == 404 else JobDeskError(words)


@cache
def get_job_desk() -> JobDesk:
    """One per process: its connections and its token outlive the requests."""
    environment = settings.ENVIRONMENT
    tokens = ServiceTokens(environment.authority_url, "django", environment.client_secret)
    return JobDesk(environment.job_processor_url, tokens)
