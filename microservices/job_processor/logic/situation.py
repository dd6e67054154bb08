"""A run that somebody has leased, and everything that is needed to speak of it with its site."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from microservices.backends.base import Backend, SiteError
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import hold_for_site, hold_run, settle_site_error
from microservices.job_processor.logic.identity import identify_account
from microservices.job_processor.logic.leases import own_run
from microservices.job_processor.logic.places import explain_wait
from microservices.job_processor.logic.sites import Account
from microservices.job_processor.models import Run


@dataclass(frozen=True)
class Situation:
    engine: Engine
    run: Run
    epoch: int
    record: SiteRecord
    account: Account
    backend: Backend

    def hold(self, reason: str) -> None:
        with own_run(self.engine.database, self.run.id, self.epoch) as (session, run):
            hold_run(session, run, reason, self.record.site.api_config)

    def hold_for_site(self, reason: str) -> None:
        with own_run(self.engine.database, self.run.id, self.epoch) as (session, run):
            hold_for_site(session, run, reason, self.record.site.api_config)

    def keep_turn(self, session: Session, run: Run) -> bool:
        """Whether the run may be sent now; if not, it waits for a place at the site."""
        config = self.record.site.api_config
        reason = explain_wait(session, run, self.account.source, config.max_concurrent_jobs)
        if reason is None:
            return True
        hold_for_site(session, run, reason, config)
        if run.service_id == self.record.site.id:
            run.waits_for = self.account.source
        return False

    def verify_account(self) -> str | None:
        """Which account the site takes the credential for (`identify_account`); None: for none, and the run is held.

        Raises `SiteError`.
        """
        if self.account.credential is None:
            return identify_account(self.account, None)
        check = self.engine.loop.run(self.backend.verify_credential())
        if check.valid:
            return identify_account(self.account, check)
        self.hold(f"Renew your token for '{self.record.site.name}': the site says: {check.message}")
        return None

    def settle(self, error: SiteError) -> None:
        with own_run(self.engine.database, self.run.id, self.epoch) as (session, run):
            settle_site_error(session, run, error, self.record.site.api_config)
