"""Bring one run to its site, once.

The attempt is committed before the first byte leaves. When no answer comes, nobody submits again: the run stays
`submitting` until its mark is found among the site's jobs.
"""

import secrets
import string
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import aiohttp

from microservices.backends.base import (
    Backend,
    CredentialRefusedError,
    InputFile,
    SiteError,
    SiteFullError,
    SiteUnavailableError,
    Submission,
)
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.errors import SiteNotFoundError
from microservices.job_processor.logic.cancellation import cancel_unsent
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import describe_error, describe_site_error, fail_run, hold_run, put_off
from microservices.job_processor.logic.leases import holding_lease, lock_own_run, take_lease
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.sites import Account, CredentialMissingError
from microservices.job_processor.models import Attempt, JobInput, Run
from microservices.job_processor.queries import find_open_attempt, find_run
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_CHUNK = 1 << 18
_ALPHABET = string.ascii_letters + string.digits

log = get_logger(__name__)


@dataclass(frozen=True)
class Situation:
    """A leased run, with all that is needed to speak to its site."""

    run: Run
    epoch: int
    record: SiteRecord
    account: Account
    backend: Backend


def submit_run(engine: Engine, run_id: UUID) -> None:
    """Do what a queued, held or unanswered run needs next; nothing when somebody else holds it."""
    epoch = take_lease(engine.database, run_id, engine.name, ("queued", "waiting_for_site", "submitting"))
    if epoch is None:
        return
    with holding_lease(engine.database, run_id, epoch):
        with engine.database.transaction() as session:
            run = lock_own_run(session, run_id, epoch)
            unanswered = find_open_attempt(run)
            if unanswered is None and run.cancel_requested_at is not None:
                cancel_unsent(session, run)
                return
        situation = _find_situation(engine, run_id, epoch)
        if situation is None:
            return
        if unanswered is not None:
            _look_for_mark(engine, situation, unanswered)
        elif _is_welcome(engine, situation):
            _send(engine, situation)


def _find_situation(engine: Engine, run_id: UUID, epoch: int) -> Situation | None:
    """None when the run has to wait (for one of our services, or for a token); it is then held with the reason."""
    with engine.database.transaction() as session:
        run = find_run(session, run_id)
    assert run is not None
    try:
        record = engine.sites.get_record(run.service_id)
    except SiteNotFoundError:
        _leave_catalogue(engine, run_id, epoch)
        return None
    except ServiceError as error:
        _put_off(engine, run_id, epoch, f"Waiting for a part of the platform: {error.detail}")
        return None
    try:
        account = engine.sites.get_account(run, record, fresh=True)
        backend = engine.loop.run(engine.sites.open(record, account))
    except CredentialMissingError:
        reason = f"Add your token for '{record.site.name}' to your site credentials; the run then goes on by itself."
        _hold(engine, run_id, epoch, record, reason)
        return None
    except ServiceError as error:
        _put_off(engine, run_id, epoch, f"Waiting for a part of the platform: {error.detail}")
        return None
    except SiteError as error:
        _settle_unsent(engine, run_id, epoch, record, error)
        return None
    return Situation(run, epoch, record, account, backend)


def _leave_catalogue(engine: Engine, run_id: UUID, epoch: int) -> None:
    """The site was deleted: end what was never sent; what may be there is for a curator to bring back."""
    message = "The site is no longer in the catalogue."
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        if find_open_attempt(run) is None:
            fail_run(session, run, describe_error("service_not_found", message, "site", "Choose another site."))
        else:
            change_run(session, run, run.status, f"{message} Whether it has this job is not known. Ask a curator.")
            put_off(run, 60)


def _put_off(engine: Engine, run_id: UUID, epoch: int, message: str) -> None:
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        change_run(session, run, run.status, message)
        put_off(run, 5)


def _hold(engine: Engine, run_id: UUID, epoch: int, record: SiteRecord, reason: str) -> None:
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        if find_open_attempt(run) is None:
            hold_run(session, run, reason, record.site.api_config)
        else:
            change_run(session, run, run.status, reason)
            put_off(run, record.site.api_config.hold_retry_s)


def _is_welcome(engine: Engine, situation: Situation) -> bool:
    """Would the site take a submission now? Asked before gigabytes travel, since sites answer only after them."""
    run_id, epoch, record = situation.run.id, situation.epoch, situation.record
    if not record.site.is_active:
        error = describe_error("service_inactive", "The site is no longer in use.", "site", "Choose another site.")
        with engine.database.transaction() as session:
            fail_run(session, lock_own_run(session, run_id, epoch), error)
        return False
    try:
        probe = engine.loop.run(situation.backend.probe())
        if probe.health != "healthy":
            _hold(engine, run_id, epoch, record, f"The site cannot take jobs now: {probe.message}")
            return False
        if situation.account.credential is not None:
            check = engine.loop.run(situation.backend.verify_credential())
            if not check.valid:
                reason = f"Renew your token for '{record.site.name}': the site says: {check.message}"
                _hold(engine, run_id, epoch, record, reason)
                return False
    except SiteError as error:
        _settle_unsent(engine, run_id, epoch, record, error)
        return False
    return True


def _settle_unsent(engine: Engine, run_id: UUID, epoch: int, record: SiteRecord, error: SiteError) -> None:
    """Nothing is at the site: hold the run, or end it where trying again cannot help."""
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        if find_open_attempt(run) is not None:
            change_run(session, run, run.status, error.message)
            put_off(run, record.site.api_config.hold_retry_s)
        elif error.permanent and not isinstance(error, CredentialRefusedError | SiteFullError | SiteUnavailableError):
            fail_run(session, run, describe_site_error(error))
        else:
            reason = f"{error.message} {error.fix}".strip()
            hold_run(session, run, reason, record.site.api_config, error.retry_after_s)


def _send(engine: Engine, situation: Situation) -> None:
    run_id, epoch = situation.run.id, situation.epoch
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        if run.cancel_requested_at is not None:
            cancel_unsent(session, run)
            return
        password = generate_password()
        attempt = _open_attempt(engine, run, epoch, situation.account, password)
        submission = _build_submission(engine, run, attempt.mark, password)
        change_run(session, run, "submitting", f"Sending to '{situation.record.site.name}'.")
    try:
        external_job_id = engine.loop.run(situation.backend.submit(submission))
    except SiteError as error:
        _settle_failed_attempt(engine, situation, attempt.number, error)
        return
    _settle_accepted(engine, situation, attempt.number, external_job_id, "The site accepted the job.")


def _open_attempt(engine: Engine, run: Run, epoch: int, account: Account, password: str) -> Attempt:
    number = len(run.attempts) + 1
    attempt = Attempt(
        number=number,
        mark=f"imputehub-{run.id.hex}-{number}",
        credential_source=account.source,
        body_bytes=sum(source.size for source in run.job.inputs),
        lease_epoch=epoch,
        result_password=engine.cipher.encrypt(password),
        started_at=utc_now(),
    )
    run.attempts.append(attempt)
    return attempt


def generate_password() -> str:
    """Letters and digits, a letter first: other characters are changed or misread on their way through a site."""
    return secrets.choice(string.ascii_letters) + "".join(secrets.choice(_ALPHABET) for _ in range(23))


def _build_submission(engine: Engine, run: Run, mark: str, password: str) -> Submission:
    parameters = run.job.parameters
    return Submission(
        mark=mark,
        panel_id=run.panel_key,
        build=parameters["build"],
        population=parameters["population"],
        phasing=parameters["phasing"],
        r2_filter=parameters["r2_filter"],
        mode=parameters["mode"],
        result_password=password,
        files=tuple(_describe_input(engine, source) for source in run.job.inputs),
    )


def _describe_input(engine: Engine, source: JobInput) -> InputFile:
    async def stream() -> AsyncIterator[bytes]:
        url = f"{engine.settings.files_url}/internal/files/{source.file_id}/content"
        headers = {"Authorization": f"Bearer {engine.peers.tokens.get()}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=headers) as answer:
            answer.raise_for_status()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                yield chunk

    return InputFile(filename=source.filename, size=source.size, open=stream)


def _settle_accepted(engine: Engine, situation: Situation, number: int, external_job_id: str, message: str) -> None:
    with engine.database.transaction() as session:
        run = lock_own_run(session, situation.run.id, situation.epoch)
        attempt = run.attempts[number - 1]
        attempt.outcome, attempt.external_job_id, attempt.ended_at = "accepted", external_job_id, utc_now()
        run.external_job_id = external_job_id
        run.external_status = None
        run.submitted_at = utc_now()
        session.flush()
        change_run(session, run, "running", message)
        put_off(run, situation.record.site.api_config.poll_first_s)
        run.setbacks = 0
    log.info("run_submitted", run_id=str(run.id), external_job_id=external_job_id)


def _settle_failed_attempt(engine: Engine, situation: Situation, number: int, error: SiteError) -> None:
    run_id, epoch = situation.run.id, situation.epoch
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        attempt = run.attempts[number - 1]
        attempt.ended_at = utc_now()
        if error.sent == "all" and not error.permanent:
            reason = (
                f"The site did not confirm the submission ({error.message}). It is not sent again before it is known"
                " whether the job exists; the site's list of jobs is being searched for it."
            )
            change_run(session, run, "submitting", reason)
            put_off(run, situation.record.site.api_config.hold_retry_s)
            return
        attempt.outcome = "refused" if error.sent == "all" else "not_sent"
    _settle_unsent(engine, run_id, epoch, situation.record, error)


def _look_for_mark(engine: Engine, situation: Situation, attempt: Attempt) -> None:
    """Adopt the job that carries our mark; while it is not there, wait: it may still appear."""
    try:
        external_job_id = engine.loop.run(_find_job_by_mark(situation.backend, attempt.mark))
    except SiteError as error:
        _settle_unsent(engine, situation.run.id, situation.epoch, situation.record, error)
        return
    if external_job_id is not None:
        _settle_accepted(engine, situation, attempt.number, external_job_id, "The job was found at the site.")
        return
    with engine.database.transaction() as session:
        run = lock_own_run(session, situation.run.id, situation.epoch)
        reason = (
            "It is not known whether the site has this job: the submission was not confirmed, and the site's list of"
            " jobs does not show it. It is not sent again; the list is searched from time to time."
        )
        change_run(session, run, "submitting", reason)
        put_off(run, situation.record.site.api_config.hold_retry_s)


async def _find_job_by_mark(backend: Backend, mark: str) -> str | None:
    """The oldest job with our mark: lists are newest first."""
    found = None
    async for job in backend.list_jobs():
        if job.mark == mark:
            found = job.external_job_id
    return found
