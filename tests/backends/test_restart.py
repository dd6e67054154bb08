"""Restarting a job that the site gave up; deleting one, which no token may."""

from typing import Any

import pytest

from microservices.backends.base import (
    CredentialRefusedError,
    JobNotFoundError,
    SiteError,
    SiteUnavailableError,
)
from tests.backends.shapes import JOB, job
from tests.backends.stub_site import framework_error, open_michigan, own_error, run_site

JOB_PATH = f"/api/v2/jobs/{JOB}"


async def test_a_job_that_the_site_gave_up_is_restarted() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"{JOB_PATH}/restart", {"success": True, "message": "added", "type": 0, "time": 0})
        site.answer(JOB_PATH, job(1, 0))
        assert (await backend.restart(JOB)).state == "waiting"


async def test_a_job_that_is_not_dead_is_left_as_it_is_by_a_restart() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"{JOB_PATH}/restart", own_error(f"Job {JOB} is not pending."), status=400)
        site.answer(JOB_PATH, job(2, 0))
        assert (await backend.restart(JOB)).state == "running"


@pytest.mark.parametrize(
    ("status", "document", "error"),
    [
        (404, own_error(f"Job {JOB} not found."), JobNotFoundError),
        (503, own_error("This functionality is currently under maintenance."), SiteUnavailableError),
        (401, framework_error("Unauthorized"), CredentialRefusedError),
    ],
)
async def test_a_restart_that_is_refused_says_why(
    status: int, document: dict[str, Any], error: type[SiteError]
) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"{JOB_PATH}/restart", document, status=status)
        with pytest.raises(error):
            await backend.restart(JOB)


async def test_a_deletion_is_not_even_asked_for() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        with pytest.raises(SiteError) as refused:
            await backend.delete(JOB)
        assert (refused.value.code, refused.value.permanent, site.seen) == ("not_offered", True, [])
