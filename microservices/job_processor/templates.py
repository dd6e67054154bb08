"""`/api/v1/job-templates`: what a person's jobs have in common."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import InstrumentedAttribute, Session

from microservices.job_processor.logic.templates import (
    create_template,
    find_own_template,
    find_template,
    replace_template,
    select_templates,
)
from microservices.job_processor.models import JobTemplate
from microservices.job_processor.routes import Caller, PeersDep
from microservices.job_processor.schemas import TemplateQuery, TemplateView
from microservices.job_processor.wishes import NewTemplate
from microservices.kernel.auth import Principal
from microservices.kernel.db import SessionDep, get_database
from microservices.kernel.idempotency import IdempotencyKey, once_key, run_once
from microservices.kernel.pagination import Page, paginate

router = APIRouter(prefix="/api/v1/job-templates", tags=["job templates"])

_ORDER: dict[str, InstrumentedAttribute[Any]] = {
    "created_at": JobTemplate.created_at,
    "name": JobTemplate.name,
    "updated_at": JobTemplate.updated_at,
}


def _show(template: JobTemplate, caller: Principal) -> TemplateView:
    return TemplateView(
        id=template.id,
        name=template.name,
        shared=template.shared,
        is_own=template.owner_id == caller.user_id,
        created_at=template.created_at,
        updated_at=template.updated_at,
        **template.settings,
    )


@router.get("")
def list_templates(query: Annotated[TemplateQuery, Query()], caller: Caller, session: SessionDep) -> Page[TemplateView]:
    """The caller's own, and what others of the organisation share."""
    statement = select_templates(caller)
    if query.q:
        statement = statement.where(JobTemplate.name.icontains(query.q, autoescape=True))
    return paginate(
        session, statement, query, sortable=_ORDER, key=JobTemplate.id, to_item=lambda row: _show(row, caller)
    )


@router.post("", status_code=201, response_model=TemplateView)
def post_template(
    wish: NewTemplate, caller: Caller, peers: PeersDep, request: Request, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    def create(session: Session) -> TemplateView:
        return _show(create_template(session, peers, caller, wish), caller)

    once = once_key(caller, "POST /api/v1/job-templates", idempotency_key, wish)
    return run_once(get_database(request), once, 201, create)


@router.get("/{template_id}")
def get_template(template_id: UUID, caller: Caller, session: SessionDep) -> TemplateView:
    return _show(find_template(session, caller, template_id), caller)


@router.put("/{template_id}")
def put_template(
    template_id: UUID, wish: NewTemplate, caller: Caller, peers: PeersDep, session: SessionDep
) -> TemplateView:
    return _show(replace_template(session, peers, caller, template_id, wish), caller)


@router.delete("/{template_id}", status_code=204)
def delete_template(template_id: UUID, caller: Caller, session: SessionDep) -> Response:
    session.delete(find_own_template(session, caller, template_id))
    return Response(status_code=204)
