"""What a person's jobs have in common, kept under a name: checked like a job, as far as it says anything."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from microservices.job_processor.errors import TemplateNotFoundError
from microservices.job_processor.logic.creation import check_targets
from microservices.job_processor.models import JobTemplate
from microservices.job_processor.peers import Peers
from microservices.job_processor.wishes import JobPlan, NewJob, NewTemplate
from microservices.kernel.auth import Principal
from microservices.kernel.db import Database, utc_now
from microservices.kernel.errors import ForbiddenError


def select_templates(caller: Principal) -> Select[JobTemplate]:
    """The caller's own, and what others of the organisation share."""
    user_id, organization_id = caller.person
    theirs = or_(JobTemplate.owner_id == user_id, JobTemplate.shared)
    return select(JobTemplate).where(JobTemplate.organization_id == organization_id, theirs)


def find_template(session: Session, caller: Principal, template_id: UUID, *, lock: bool = False) -> JobTemplate:
    statement = select_templates(caller).where(JobTemplate.id == template_id)
    template = session.scalar(statement.with_for_update() if lock else statement)
    if template is None:
        raise TemplateNotFoundError(f"There is no template {template_id} among yours.")
    return template


def find_own_template(session: Session, caller: Principal, template_id: UUID) -> JobTemplate:
    """To be changed, so it is locked: somebody may be deleting it."""
    template = find_template(session, caller, template_id, lock=True)
    if template.owner_id != caller.user_id:
        raise ForbiddenError("Only its owner changes a shared template. Save one of your own.", code="not_the_owner")
    return template


def create_template(session: Session, peers: Peers, caller: Principal, wish: NewTemplate) -> JobTemplate:
    user_id, organization_id = caller.person
    check_targets(peers, wish, inputs=[])
    template = JobTemplate(organization_id=organization_id, owner_id=user_id)
    _fill(template, wish)
    session.add(template)
    session.flush()
    session.refresh(template)
    return template


def replace_template(
    session: Session, peers: Peers, caller: Principal, template_id: UUID, wish: NewTemplate
) -> JobTemplate:
    """Jobs that were made from it stay as they are."""
    check_targets(peers, wish, inputs=[])
    template = find_own_template(session, caller, template_id)
    _fill(template, wish)
    template.updated_at = utc_now()
    session.flush()
    return template


def _fill(template: JobTemplate, wish: NewTemplate) -> None:
    template.name, template.shared = wish.name, wish.shared
    template.settings = wish.model_dump(mode="json", exclude={"name", "shared"}, exclude_none=True)


def plan_job(database: Database, caller: Principal, wish: NewJob) -> JobPlan:
    """The job with what it leaves out filled in from its template: what the job itself says holds.

    In a transaction of its own, so that no connection waits while our other services are asked about the plan.
    Raises `ValidationError` where something is still left open.
    """
    given: dict[str, Any] = {}
    if wish.template_id is not None:
        with database.transaction() as session:
            template = find_template(session, caller, wish.template_id)
            given = {"name": template.name} | template.settings
    return JobPlan.model_validate(given | wish.model_dump(mode="json", exclude_unset=True))
