"""Bring one run to its site, once.

The attempt is committed before the first byte leaves. When no answer comes, the run stays `submitting` until it is
known what became of it (`reconciliation`).
"""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from microservices.backends.base import Backend, SiteError, SiteUnavailableError, Submission
from microservices.job_processor.errors import InputFileNotFoundError, SiteNotFoundError
from microservices.job_processor.logic.attempts import (
    Sender,
    accept_attempt,
    limit_submission,
    make_mark,
    open_attempt,
    sending,
    settle_failed_attempt,
)
from microservices.job_processor.logic.cancellation import cancel_unsent
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.failover import leave_site
from microservices.job_processor.logic.holding import (
    describe_error,
    fail_run,
    give_up_site,
    hold_run,
    put_off,
    settle_site_error,
)
from microservices.job_processor.logic.leases import holding_lease, own_run, take_lease
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.places import hold_places
from microservices.job_processor.logic.recollection import look_for_results
from microservices.job_processor.logic.reconciliation import reconcile
from microservices.job_processor.logic.residency import Verdict, judge_site, record_verdict, refuse_egress
from microservices.job_processor.logic.sites import CredentialMissingError
from microservices.job_processor.logic.situation import Situation
from microservices.job_processor.models import Attempt, Run
from microservices.job_processor.queries import find_accepted_attempt, find_open_attempt
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

log = get_logger(__name__)


def submit_run(engine: Engine, run_id: UUID) -> None:
    """Do what a queued, held or unanswered run needs next; nothing when somebody else holds it."""
    epoch = take_lease(engine.database, run_id, engine.name, ("queued", "waiting_for_site", "submitting"))
    if epoch is None:
        return
    with holding_lease(engine.database, run_id, epoch):
        with own_run(engine.database, run_id, epoch) as (session, run):
            unanswered, finished = find_open_attempt(run), find_accepted_attempt(run)
            if unanswered is None and run.cancel_requested_at is not None:
                cancel_unsent(session, run)
                return
            if unanswered is None and leave_site(session, run):
                return
        situation = _find_situation(engine, run, epoch, unanswered or finished)
        if situation is None:
            return
        if finished is not None:
            if look_for_results(situation, finished):
                return
            situation = _find_situation(engine, run, epoch, None)
            if situation is None:
                return
        if unanswered is not None:
            reconcile(situation, unanswered.mark)
            return
        identity = _find_welcome(situation)
        if identity is not None:
            _send(situation, identity)


def _find_situation(engine: Engine, run: Run, epoch: int, earlier: Attempt | None) -> Situation | None:
    """None when the run has to wait (for one of our services, or for a token); it is then held with the reason.

    What an earlier submission left at the site is looked for in the account that it was made with.
    """
    try:
        record = engine.sites.get_record(run.service_id)
    except SiteNotFoundError:
        _leave_catalogue(engine, run.id, epoch)
        return None
    except ServiceError as error:
        _wait_for_platform(engine, run.id, epoch, error)
        return None
    config = record.site.api_config
    try:
        account = engine.sites.get_account(run, record, earlier.credential_source if earlier else None)
        backend = engine.loop.run(engine.sites.open(record, account))
    except CredentialMissingError:
        reason = f"Add your token for '{record.site.name}' to your site credentials; the run then goes on by itself."
        with own_run(engine.database, run.id, epoch) as (session, own):
            hold_run(session, own, reason, config)
        return None
    except ServiceError as error:
        _wait_for_platform(engine, run.id, epoch, error)
        return None
    except SiteError as error:
        with own_run(engine.database, run.id, epoch) as (session, own):
            settle_site_error(session, own, error, config)
        return None
    return Situation(engine, run, epoch, record, account, backend)


def _leave_catalogue(engine: Engine, run_id: UUID, epoch: int) -> None:
    """The site was deleted: end what was never sent; what may be there is for a curator to bring back."""
    message = "The site is no longer in the catalogue."
    with own_run(engine.database, run_id, epoch) as (session, run):
        if find_open_attempt(run) is None:
            give_up_site(session, run, describe_error("service_not_found", message, "site", "Choose another site."))
        else:
            change_run(session, run, run.status, f"{message} Whether it has this job is not known. Ask a curator.")
            put_off(run, 60)


def _wait_for_platform(engine: Engine, run_id: UUID, epoch: int, error: ServiceError) -> None:
    with own_run(engine.database, run_id, epoch) as (session, run):
        change_run(session, run, run.status, f"Waiting for a part of the platform: {error.detail}")
        run.waits_for = None  # others may not need that part: they go before it meanwhile
        put_off(run, 5)


def _find_welcome(situation: Situation) -> str | None:
    """The account that the site would take a submission of now; None: it takes none, and the run was told why.

    Asked before gigabytes travel, since sites answer only after them.
    """
    site, loop = situation.record.site, situation.engine.loop
    if not site.is_active:
        error = describe_error("service_inactive", "The site is no longer in use.", "site", "Choose another site.")
        with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
            give_up_site(session, run, error)
        return None
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
        if not situation.keep_turn(session, run):
            return None
    try:
        probe = loop.run(situation.backend.probe())
        if probe.health != "healthy":
            situation.hold_for_site(f"The site cannot take jobs now: {probe.message}")
            return None
        return situation.verify_account()
    except SiteError as error:
        situation.settle(error)
        return None


def _find_inputs(situation: Situation) -> list[UUID]:
    """The files of the run's job; when it ended they were free to be deleted, and it is sent again.

    Raises `InputFileNotFoundError`, and `ServiceError` where that cannot be known now.
    """
    engine, run = situation.engine, situation.run
    with own_run(engine.database, run.id, situation.epoch) as (_session, own):
        files = [source.file_id for source in own.job.inputs]
    engine.peers.list_inputs(files, run.owner_id, run.organization_id)
    return files


def _link_inputs(situation: Situation, files: list[UUID]) -> dict[UUID, str]:
    """Addresses of the inputs, where the site fetches them by itself; made for the attempt that is about to be opened.

    Raises `ServiceError`.
    """
    engine, run, site = situation.engine, situation.run, situation.record.site
    if site.api_type != "ga4gh" or site.api_config.input_mode != "url":
        return {}
    return engine.peers.create_input_links(run.id, len(run.attempts) + 1, files)


def _fail_without_input(situation: Situation) -> None:
    message = "An input of the job was deleted, so there is nothing to send."
    error = describe_error("input_deleted", message, "input", "Upload it again and submit a new job.")
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
        fail_run(session, run, error)


def _send(situation: Situation, identity: str) -> None:
    engine, run_id = situation.engine, situation.run.id
    try:
        verdict = judge_site(situation)
        if verdict is not None and verdict.refusal:
            refuse_egress(situation, verdict)
            return
        links = _link_inputs(situation, _find_inputs(situation))
    except InputFileNotFoundError:
        _fail_without_input(situation)
        return
    except ServiceError as error:
        _wait_for_platform(engine, run_id, situation.epoch, error)
        return
    with sending(engine, make_mark(run_id, len(situation.run.attempts) + 1)):
        submission = _open(situation, identity, links, verdict)
        if submission is not None:
            _transmit(situation, submission)


def _open(situation: Situation, identity: str, links: Mapping[UUID, str], verdict: Verdict | None) -> Submission | None:
    """What is to be sent, once the attempt stands in PostgreSQL; None when the run may not be sent now."""
    engine, epoch = situation.engine, situation.epoch
    with own_run(engine.database, situation.run.id, epoch) as (session, run):
        if run.cancel_requested_at is not None:
            cancel_unsent(session, run)
            return None
        if leave_site(session, run):
            return None
        hold_places(session, run, situation.account.source)
        if not situation.keep_turn(session, run):
            return None
        if verdict is not None:
            record_verdict(session, run, verdict)
        submission = open_attempt(engine, run, epoch, Sender(situation.account.source, identity), links)
        change_run(session, run, "submitting", f"Sending to '{situation.record.site.name}'.")
    return submission


def _transmit(situation: Situation, submission: Submission) -> None:
    engine, run_id, config = situation.engine, situation.run.id, situation.record.site.api_config
    try:
        external_job_id = engine.loop.run(_submit_in_time(situation.backend, submission))
    except SiteError as error:
        settle_failed_attempt(engine, run_id, submission.mark, error, config)
    except Exception as error:  # whatever it is, it does not tell whether the site has the job
        log.exception("submission_failed", run_id=str(run_id))
        unknown = SiteError(f"a fault of the platform, {type(error).__name__}", code="adapter_fault", sent="all")
        settle_failed_attempt(engine, run_id, submission.mark, unknown, config)
    else:
        accept_attempt(engine, run_id, submission.mark, external_job_id, config, "The site accepted the job.")


async def _submit_in_time(backend: Backend, submission: Submission) -> str:
    """The site's id of the job. Whatever happens, the connection is over by the attempt's deadline."""
    try:
        async with asyncio.timeout(limit_submission(submission).total_seconds()):
            return await backend.submit(submission)
    except TimeoutError:
        raise SiteUnavailableError("it took longer than any submission may", code="timeout", sent="all") from None
