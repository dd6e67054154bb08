"""Lists: `?limit=&cursor=&sort=` → `{"items", "next_cursor", "total"}`, by keyset, so pages never shift."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from microservices.kernel.errors import InvalidInputError

Row = TypeVar("Row")
Item = TypeVar("Item")


class ListQuery(BaseModel):
    """The query parameters of every list; a list's own filters are added by inheriting. Unknown ones are a 400."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=1000)
    sort: str = "-created_at"


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None
    total: int


def paginate(
    session: Session,
    statement: Select[Row],
    query: ListQuery,
    *,
    sortable: Mapping[str, InstrumentedAttribute[Any]],
    key: InstrumentedAttribute[UUID],
    to_item: Callable[[Row], Item],
) -> Page[Item]:
    """One page of `statement`, ordered by the column named in `query.sort` and then by `key` (unique)."""
    column, descending = find_sort(query.sort, sortable)
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    order: list[ColumnElement[Any]] = [column.desc(), key.desc()] if descending else [column.asc(), key.asc()]
    page = statement.order_by(*order).limit(query.limit + 1)
    if query.cursor:
        after = tuple_(*read_cursor(query.cursor, query.sort, column))
        here = tuple_(column, key)
        page = page.where(here < after if descending else here > after)
    rows = list(session.scalars(page))
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    cursor = write_cursor(query.sort, getattr(rows[-1], column.key), getattr(rows[-1], key.key)) if more else None
    return Page(items=[to_item(row) for row in rows], next_cursor=cursor, total=total)


def find_sort(sort: str, sortable: Mapping[str, InstrumentedAttribute[Any]]) -> tuple[InstrumentedAttribute[Any], bool]:
    name = sort.removeprefix("-")
    if name not in sortable:
        raise InvalidInputError(
            f"Cannot sort by '{name}'. Choose one of: {', '.join(sorted(sortable))}.",
            errors=[{"field": "sort", "message": "unknown"}],
        )
    return sortable[name], sort.startswith("-")


def write_cursor(sort: str, value: Any, key: UUID) -> str:
    text = value.isoformat() if isinstance(value, date) else value  # a datetime is a date too
    return base64.urlsafe_b64encode(json.dumps([sort, text, str(key)]).encode()).decode()


def _read_value(value: Any, python_type: type) -> Any:
    """The value of a column of `python_type`. PostgreSQL has no NUL and no lone surrogate in its text, and no integer
    of more than 64 bits; a forged cursor may have them. Raises ValueError, TypeError or OverflowError.
    """
    if python_type is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if python_type is date:
        return date.fromisoformat(value)
    if type(value) is not python_type:
        raise ValueError("of another type")
    if isinstance(value, str) and b"\x00" in value.encode():
        raise ValueError("not a text that can be stored")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("not a number that can be stored")
    return value


def read_cursor(cursor: str, sort: str, column: InstrumentedAttribute[Any]) -> tuple[Any, UUID]:
    try:
        for_sort, value, key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if for_sort != sort:
            raise ValueError("made for another order")
        return _read_value(value, column.type.python_type), UUID(key)
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise InvalidInputError(
            "The cursor is not one of this list's. Start again without it.",
            errors=[{"field": "cursor", "message": "not valid"}],
        ) from error
