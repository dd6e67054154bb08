"""Everybody who has an account, for administrators."""

from sqlalchemy.orm import Session

from microservices.kernel.pagination import Page, paginate
from microservices.user_service import queries
from microservices.user_service.logic.accounts import describe_user
from microservices.user_service.models import User
from microservices.user_service.schemas import PeopleQuery, UserRecord


def list_accounts(session: Session, query: PeopleQuery) -> Page[UserRecord]:
    sortable = {"created_at": User.created_at, "email": User.email}
    return paginate(
        session, queries.select_people(query.q), query, sortable=sortable, key=User.id, to_item=describe_user
    )
