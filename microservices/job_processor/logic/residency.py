"""Where a job's data may go: decided again just before anything leaves, by what the catalogue says at that moment.

The decision is written down in the transaction that opens the submission, so there is none without the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from microservices.contracts.curation import SiteDocument
from microservices.job_processor.logic.failover import fail_over
from microservices.job_processor.logic.holding import describe_error, fail_run
from microservices.job_processor.logic.leases import own_run
from microservices.job_processor.logic.situation import Situation
from microservices.job_processor.models import Job, ResidencyDecision, Run
from microservices.kernel.db import utc_now
from microservices.kernel.errors import DependencyUnavailableError


@dataclass(frozen=True)
class Verdict:
    """`refusal`: why the data may not go to the site; empty when they may."""

    site: SiteDocument
    countries: Sequence[str]
    refusal: str


def list_countries(job: Job) -> list[str] | None:
    """Where the job's data may go; None: anywhere."""
    residency = job.parameters.get("residency")
    return residency["countries"] if residency else None


def explain_refusal(site: SiteDocument, countries: Sequence[str]) -> str:
    if site.country.upper() in countries:
        return ""
    where = site.country or "a country that is not known"
    return f"'{site.name}' is in {where}, and this job's data may go to {', '.join(countries)} only."


def judge_site(situation: Situation) -> Verdict | None:
    """None for a job that says nothing of where its data may go.

    Raises `ServiceError` also when the site has just moved: what is remembered of it is not what was judged then.
    """
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (_session, run):
        countries = list_countries(run.job)
    if countries is None:
        return None
    remembered = situation.record.site
    site = situation.engine.peers.get_site(remembered.id).site
    if site.base_url != remembered.base_url:
        raise DependencyUnavailableError(f"The address of '{site.name}' has just changed.")
    return Verdict(site, countries, explain_refusal(site, countries))


def record_verdict(session: Session, run: Run, verdict: Verdict) -> None:
    site = verdict.site
    reason = verdict.refusal or f"'{site.name}' is in {site.country}, where this job's data may go."
    session.add(
        ResidencyDecision(
            job_id=run.job_id,
            run_id=run.id,
            organization_id=run.organization_id,
            owner_id=run.owner_id,
            decided_at=utc_now(),
            service_id=site.id,
            site_name=site.name,
            base_url=site.base_url,
            country=site.country,
            countries_allowed=list(verdict.countries),
            is_allowed=not verdict.refusal,
            reason=reason,
        )
    )


def refuse_egress(situation: Situation, verdict: Verdict) -> None:
    """Go on at the next alternate, or end the run; nothing of it has left."""
    if verdict.site.country:
        fix, whose = "Submit to a site in one of these countries, or allow the site's.", "input"
    else:
        fix, whose = "Ask a curator to say where the site is, then retry the run.", "platform"
    error = describe_error("residency_refused", f"Nothing was sent: {verdict.refusal}", whose, fix)
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
        record_verdict(session, run, verdict)
        if not fail_over(session, run, error["message"]):
            fail_run(session, run, error)
